import Kernels

/// The memory of a device that holds the elements of one tensor.
///
/// What is inside is the backend's business: the order of the elements, copies of them in another
/// order, and whatever it has derived from them.
package protocol DeviceMemory: AnyObject, Sendable {
  /// The number of elements.
  var count: Int { get }
}

/// What computes on a device: one method for each thing that operations need done.
///
/// An operation checks shapes, calls its backend, and records a pullback that calls it again; see
/// "How to add a backend" in CONTRIBUTING. Shapes have been checked before, all tensors are on this
/// backend's device and have been computed (``Tensor/materialize()``), and none is on a tape.
/// Results are tensors off the tape whose elements are there, or on their way on the device's queue.
///
/// Fusing, the order of elements in memory and packed weights are up to the backend. What a forward
/// method returns as `saved` comes back to the method for the gradients.
package protocol Backend: AnyObject, Sendable {
  /// The device's name: `cpu`.
  var name: String { get }

  // MARK: Memory

  /// Memory with the given elements.
  ///
  /// - Parameters:
  ///   - elements: In row-major order.
  ///   - shape: The shape of the tensor.
  func memory(of elements: [Float], shape: [Int]) -> any DeviceMemory
  /// Memory in which every element is `value`.
  func memory(repeating value: Float, shape: [Int]) -> any DeviceMemory
  /// The constant 1: the gradient of a loss by itself, with which the backward pass begins.
  var one: Tensor { get }
  /// A copy that can be changed without changing the original.
  func copy(of memory: any DeviceMemory) -> any DeviceMemory
  /// The elements in row-major order. Waits until they have been computed.
  func elements(of memory: any DeviceMemory) -> [Float]

  /// The first element of each memory. Waits until all have been computed, once.
  func firstElements(of memories: [any DeviceMemory]) -> [Float]
  /// Copies the bytes of a data set to the device, from where batches are gathered without the host.
  ///
  /// - Parameters:
  ///   - bytes: The elements of all examples.
  ///   - values: The number that each of the 256 bytes stands for.
  /// - Returns: The bytes; nil if batches are to be gathered in the host's memory.
  func keep(_ bytes: RawSpan, values: [Float]) -> (any DeviceBytes)?

  // MARK: Elementwise

  /// `activation(a + b)` of two tensors of the same shape.
  func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor
  /// `operation(a, b)`, both broadcast to `shape`.
  func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor
  /// The gradient of an operand of ``binary(_:_:_:shape:)``, of that operand's shape.
  func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: Tensor, _ a: Tensor, _ b: Tensor
  ) -> Tensor
  /// `a` where the condition is not 0, else `b`, all three broadcast to `shape`.
  func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor
  /// The gradient of an operand of ``select(_:_:_:shape:)``, of shape `shape`: left for a.
  func selectGradient(
    of operand: Operand, _ condition: Tensor, dy: Tensor, shape: [Int]
  ) -> Tensor
  /// `operation(x)`.
  func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor
  /// The gradient of ``unary(_:_:)``, from its argument and its result.
  func unaryGradient(_ operation: UnaryOperation, dy: Tensor, x: Tensor, y: Tensor) -> Tensor
  /// The sum of `x` over the dimensions along which a tensor of `shape` is repeated when it is
  /// broadcast to the shape of `x`.
  func sum(_ x: Tensor, to shape: [Int]) -> Tensor
  /// `activation(x)`.
  func activation(_ activation: Activation, _ x: Tensor) -> Tensor
  /// The gradient by x of ``activation(_:_:)``, from its result `y`.
  func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor
  /// `x` with the elements dropped that the rule drops, the others scaled. Also its own gradient.
  func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor

  // MARK: Reductions

  /// The sum over some dimensions divided by a number; the result lacks these dimensions.
  func sum(_ x: Tensor, axes: [Int], divisor: Double) -> Tensor
  /// The gradient by x, a tensor of shape `shape`.
  func sumGradient(dy: Tensor, shape: [Int], axes: [Int], divisor: Double) -> Tensor
  /// The largest element over some dimensions, the first one among equals; NaN counts as the largest.
  func maxima(_ x: Tensor, axes: [Int]) -> (y: Tensor, saved: AnyObject?)
  /// The gradient by x, a tensor of shape `shape`: that of each result goes to the largest element.
  func maximaGradient(dy: Tensor, shape: [Int], axes: [Int], saved: AnyObject?) -> Tensor
  /// The index of the largest element of each row along the last dimension, the first one among
  /// equals. A NaN counts as the largest.
  func argmax(_ x: Tensor) -> [Int]
  /// The number of rows whose ``argmax(_:)`` is the label, of shape [].
  func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor

  // MARK: Rearranging

  /// The tensor whose element at the index i is that of `x` at the position `offset + Σ i · strides`
  /// of its elements in row-major order.
  func strided(_ x: Tensor, shape: [Int], strides: [Int], offset: Int) -> Tensor
  /// The inverse: a tensor of shape `shape` with the elements of each part at the positions that its
  /// strides give, and 0 elsewhere.
  func assemble(_ parts: [StridedPart], shape: [Int]) -> Tensor
  /// The rows of a table at some indices: a tensor of the given shape.
  func gatherRows(_ table: Tensor, _ indices: [Int], shape: [Int]) -> Tensor
  /// The gradient by the table, of shape `shape`: rows that were taken several times are added up.
  func scatterRows(dy: Tensor, _ indices: [Int], shape: [Int]) -> Tensor

  // MARK: Matrix products

  /// The products of pairs of matrices, m × k by k × n; the result has the shape pairs × m × n.
  func matrixProducts(_ a: MatrixBatch, _ b: MatrixBatch, m: Int, n: Int, k: Int) -> Tensor

  // MARK: Fully connected

  /// `x weightᵀ + bias`: x is N × I, weight O × I, bias O or nil, the result N × O.
  func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor
  /// The gradient by x.
  func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor
  /// The gradient by the weight.
  func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor
  /// The gradients by the weight and by the bias at once.
  func linearParameterGradients(
    dy: Tensor, x: Tensor, weight: Tensor
  ) -> (weight: Tensor, bias: Tensor)
  /// The sum over the rows of an N × O tensor: the gradient by the bias.
  func sumRows(_ x: Tensor) -> Tensor

  // MARK: Convolution

  /// Whether ``convolution(_:weight:bias:_:_:saves:)`` can do what follows the convolution as well.
  func canFuse(_ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents) -> Bool
  /// Whether the convolution `front` can be computed along with the one that takes its result.
  func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool
  /// `epilogue(x ∗ weight + bias)`: x is N × C × H × W, weight K × C × R × S, bias K or nil.
  ///
  /// - Parameter saves: Whether gradients will be asked for.
  func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ extents: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?)
  /// The gradients of ``convolution(_:weight:bias:_:_:saves:)``.
  ///
  /// - Parameters:
  ///   - y: The result. It has been computed only if something follows the convolution.
  ///   - wanted: Which gradients are wanted.
  func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ extents: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor]

  // MARK: Normalization

  /// The mean and the biased variance of each channel of N × C × H × W images, and the running ones
  /// after this batch: `(1 - momentum) · running + momentum · batch`, where the variance of the batch
  /// is the unbiased one.
  func batchNormStatistics(
    _ x: Tensor, running: ChannelStatistics, momentum: Double
  ) -> (batch: ChannelStatistics, running: ChannelStatistics)
  /// `activation(weight · (x - mean) / √(variance + epsilon) + bias)`, channel by channel.
  func batchNorm(_ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation) -> Tensor
  /// The gradients by x (if `wantsInput`), weight and bias.
  ///
  /// - Parameter isTraining: Whether mean and variance are those of x.
  func batchNormGradients(
    _ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation, dy: Tensor,
    isTraining: Bool, wantsInput: Bool
  ) -> (dx: Tensor?, dWeight: Tensor, dBias: Tensor)
  /// The gradient by x where x is a part of a batch: from the gradients by weight and bias of the whole
  /// batch, and the number of its pixels in a channel. By default computed by two normalizations.
  func batchNormInputGradient(
    _ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation, dy: Tensor,
    dWeight: Tensor, dBias: Tensor, pixels: Int
  ) -> Tensor

  // MARK: Pooling

  /// The largest pixel of each window.
  ///
  /// - Parameter saves: Whether the gradient will be asked for.
  func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?)
  /// The gradient by x, a tensor of shape `shape`.
  func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor
  /// The mean over the pixels of each channel: N × C × H × W becomes N × C.
  func globalAveragePool(_ x: Tensor) -> Tensor
  /// The gradient by x, a tensor of shape `shape`.
  func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor

  /// The mean over each window: N × C × H × W becomes N × C × rows × columns.
  func averagePool(_ x: Tensor, _ extents: AveragePoolingExtents) -> Tensor
  /// The gradient by x, a tensor of shape `shape`.
  func averagePoolGradient(
    dy: Tensor, shape: [Int], _ extents: AveragePoolingExtents
  ) -> Tensor
  /// `weight · (x - mean) / √(variance + epsilon) + bias` for each row of `columns` elements; weight
  /// and bias have one element for each column, or are nil for 1 and 0.
  func layerNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, columns: Int, epsilon: Double
  ) -> (y: Tensor, saved: AnyObject?)
  /// The gradients by x, the weight and the bias; the last two have the shape `[columns]`.
  func layerNormGradients(
    _ x: Tensor, weight: Tensor?, columns: Int, epsilon: Double, dy: Tensor, saved: AnyObject?
  ) -> (dx: Tensor, dWeight: Tensor, dBias: Tensor)

  // MARK: Long short-term memory

  /// The outputs of some directions side by side, T × N × directions · H.
  ///
  /// - Parameter saves: Whether gradients will be asked for.
  func lstm(
    _ x: Tensor, _ directions: [LSTMDirection], saves: Bool
  ) -> (y: Tensor, saved: AnyObject?)
  /// The gradients by x (if `wantsInput`) and by each direction's weights. Called once for a forward
  /// pass, since it may overwrite what was saved.
  func lstmGradients(
    _ x: Tensor, _ directions: [LSTMDirection], y: Tensor, dy: Tensor, saved: AnyObject?,
    wantsInput: Bool
  ) -> (dx: Tensor?, directions: [LSTMGradients])

  // MARK: Losses

  /// The probabilities along the last dimension.
  func softmax(_ x: Tensor) -> Tensor
  /// The gradient by x, from the result `y`.
  func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor
  /// `log softmax(x)` along the last dimension.
  func logSoftmax(_ x: Tensor) -> Tensor
  /// The gradient by x, from the result `y`.
  func logSoftmaxGradient(dy: Tensor, y: Tensor) -> Tensor
  /// The mean over the rows of `-log softmax(logits)[label]`, of shape [], and what the gradient is
  /// computed from: a tensor of the shape of the logits.
  ///
  /// - Parameter labelSmoothing: The share of the label that is spread over all classes.
  func crossEntropy(
    _ logits: Tensor, labels: [Int], labelSmoothing: Double
  ) -> (loss: Tensor, saved: Tensor)
  /// The gradient by the logits, from that of the loss, a tensor of one element.
  func crossEntropyGradient(
    dy: Tensor, saved: Tensor, labels: [Int], labelSmoothing: Double
  ) -> Tensor
  /// The mean over the rows of `-x[label]`, of shape [].
  func nllLoss(_ x: Tensor, labels: [Int]) -> Tensor
  /// The gradient by x, a tensor of shape `shape`, from that of the loss.
  func nllLossGradient(dy: Tensor, shape: [Int], labels: [Int]) -> Tensor
  /// The mean of `(x - target)²`, of shape [].
  func mseLoss(_ x: Tensor, target: Tensor) -> Tensor
  /// The gradient by x, from that of the loss.
  func mseLossGradient(dy: Tensor, _ x: Tensor, target: Tensor) -> Tensor
  /// The mean of `max(x, 0) - x target + log(1 + exp(-|x|))`, of shape [].
  func binaryCrossEntropyWithLogits(_ x: Tensor, target: Tensor) -> Tensor
  /// The gradients by x and by the target, from that of the loss.
  func binaryCrossEntropyWithLogitsGradients(
    dy: Tensor, _ x: Tensor, target: Tensor
  ) -> (dx: Tensor, dTarget: Tensor)
  /// The mean over rows and classes of `max(0, 1 - x[label] + x[c])`, c ≠ label, of shape [].
  func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor
  /// The gradient by x, from that of the loss, a tensor of one element.
  func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor

  /// The negative log probability of each item's labels, of shape [N], from T × N × C log
  /// probabilities; and if it is wanted, the gradient of each by its own elements of x.
  func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool
  ) -> (losses: Tensor, gradients: Tensor?)

  // MARK: Optimizers (change tensors in place that no other tensor shares)

  /// One step of Adam or AdamW; see ``AdamStep``.
  func adamStep(
    _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, _ step: AdamStep)
  /// One step of Adam or AdamW of several tensors, no two of which are the same. By default the same
  /// as ``adamStep(_:gradient:moment1:moment2:_:)`` of each.
  func adamSteps(_ updates: [AdamUpdate])
  /// One step of stochastic gradient descent; see ``GradientDescentStep``.
  func gradientDescentStep(
    _ value: Tensor, gradient: Tensor, velocity: Tensor?, _ step: GradientDescentStep)
}

/// The bytes of a data set in the memory of a device.
package protocol DeviceBytes: AnyObject, Sendable {
  /// Copies to the device which examples an epoch takes, in this order, so that its batches need no
  /// further copy.
  ///
  /// - Parameters:
  ///   - indices: Which examples.
  ///   - labels: The label of each one; none if they have several.
  func epoch(_ indices: [Int], labels: [Int]) -> any DeviceEpoch
}

/// The examples of an epoch in the memory of a device, in their order.
package protocol DeviceEpoch: AnyObject, Sendable {
  /// The numbers that the bytes of some examples stand for.
  ///
  /// - Parameters:
  ///   - range: Which of the epoch's examples.
  ///   - shape: The shape of the result, whose first extent is the number of examples.
  ///   - labels: Their labels, which losses will be asked for.
  func gather(_ range: Range<Int>, shape: [Int], labels: [Int]) -> Tensor
}

extension Backend {
  package var one: Tensor { Tensor(repeating: 1, shape: [], on: Device(self)) }

  package func firstElements(of memories: [any DeviceMemory]) -> [Float] {
    memories.map { elements(of: $0)[0] }
  }

  package func batchNormInputGradient(
    _ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation, dy: Tensor,
    dWeight: Tensor, dBias: Tensor, pixels: Int
  ) -> Tensor {
    // In evaluation mode it is weight · dy / σ. What the mean and the variance add to it is
    // -(weight / σ) (dBias + x̂ dWeight) / pixels, a normalization with other weights.
    let (direct, _, _) = batchNormGradients(
      x, parameters, activation, dy: dy, isTraining: false, wantsInput: true)
    let factors = zip(parameters.weight.elements, parameters.variance.elements).map {
      -$0 / ($1 + parameters.epsilon).squareRoot() / Float(pixels)
    }
    func scaled(_ gradient: Tensor) -> Tensor {
      Tensor(zip(factors, gradient.elements).map { $0 * $1 }, shape: gradient.shape)
        .to(x.device)
    }
    let rest = batchNorm(
      x,
      BatchNormParameters(
        mean: parameters.mean, variance: parameters.variance, weight: scaled(dWeight),
        bias: scaled(dBias), epsilon: parameters.epsilon), .none)
    return direct?.adding(rest) ?? rest
  }

  package func keep(_ bytes: RawSpan, values: [Float]) -> (any DeviceBytes)? { nil }

  package func linearParameterGradients(
    dy: Tensor, x: Tensor, weight: Tensor
  ) -> (weight: Tensor, bias: Tensor) {
    (linearWeightGradient(dy: dy, x: x, weight: weight), sumRows(dy))
  }

  package func adamSteps(_ updates: [AdamUpdate]) {
    for update in updates {
      adamStep(
        update.value, gradient: update.gradient, moment1: update.moment1, moment2: update.moment2,
        update.step)
    }
  }
}

/// A function of each element that an operation may apply to its result.
package typealias Activation = Kernels.Activation

/// A function of two numbers, element by element.
package typealias BinaryOperation = Kernels.BinaryOperation
/// One of the two operands of a ``BinaryOperation``.
package typealias Operand = Kernels.Operand
/// A function of one number, element by element.
package typealias UnaryOperation = Kernels.UnaryOperation
/// A batch of the CTC loss without its probabilities.
package typealias CTCBatch = Kernels.CTCBatch
/// The windows of an average pooling.
package typealias AveragePoolingExtents = Kernels.AveragePoolingExtents

/// A tensor as a part of a larger one; see ``Backend/assemble(_:shape:)``.
package struct StridedPart {
  package let tensor: Tensor
  package let strides: [Int]
  package let offset: Int
}

/// Matrices of one size in a tensor; see ``Backend/matrixProducts(_:_:m:n:k:)``.
package struct MatrixBatch {
  package let tensor: Tensor
  /// Elements from one row in memory to the next.
  package let stride: Int
  /// Whether a row in memory is a column of the matrix.
  package let isTransposed: Bool
  /// The position of each matrix in the tensor's elements, in row-major order.
  package let offsets: [Int]
}

/// What a convolution is applied to.
package enum ConvolutionOperand {
  /// N × C × H × W images.
  case images(Tensor)
  /// The result of another convolution that has not been computed: its input, weight and bias, what
  /// follows it, and its extents.
  case convolution(Tensor, weight: Tensor, bias: Tensor?, ConvolutionEpilogue, ConvolutionExtents)
}

/// What a convolution has gradients by.
package enum ConvolutionGradient: Hashable, Sendable {
  case input, weight, bias
  /// The weight and the bias of a convolution in front; see ``ConvolutionOperand``.
  case frontWeight, frontBias
}

/// The mean and the variance of each channel.
package struct ChannelStatistics {
  package let mean, variance: Tensor

  package init(mean: Tensor, variance: Tensor) {
    (self.mean, self.variance) = (mean, variance)
  }
}

/// What a batch normalization computes with; all tensors have one element for each channel.
package struct BatchNormParameters {
  package let mean, variance, weight, bias: Tensor
  package let epsilon: Float

  package init(mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
    (self.mean, self.variance, self.weight, self.bias) = (mean, variance, weight, bias)
    self.epsilon = epsilon
  }
}

/// The gradients of one direction of an LSTM; both biases have the same.
package struct LSTMGradients {
  package let weightIH, weightHH, bias: Tensor

  package init(weightIH: Tensor, weightHH: Tensor, bias: Tensor) {
    (self.weightIH, self.weightHH, self.bias) = (weightIH, weightHH, bias)
  }
}

/// The numbers of one step of Adam.
package struct AdamStep: Sendable, Equatable {
  /// The number of the step, from 1.
  package let step: Int
  package let learningRate, beta1, beta2, epsilon, weightDecay: Double
  /// Whether the weights decay by themselves, as in AdamW.
  package let isDecoupled: Bool

  package init(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
    weightDecay: Double, isDecoupled: Bool
  ) {
    (self.step, self.learningRate) = (step, learningRate)
    (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
    (self.weightDecay, self.isDecoupled) = (weightDecay, isDecoupled)
  }
}

/// A tensor that one step of Adam changes, with its gradient and the running means, which change too.
package struct AdamUpdate {
  package let value, gradient, moment1, moment2: Tensor
  package let step: AdamStep

  package init(
    value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, step: AdamStep
  ) {
    (self.value, self.gradient, self.step) = (value, gradient, step)
    (self.moment1, self.moment2) = (moment1, moment2)
  }
}

/// The numbers of one step of stochastic gradient descent.
package struct GradientDescentStep: Sendable {
  package let learningRate, momentum, weightDecay: Double
  package let nesterov: Bool

  package init(learningRate: Double, momentum: Double, weightDecay: Double, nesterov: Bool) {
    (self.learningRate, self.momentum) = (learningRate, momentum)
    (self.weightDecay, self.nesterov) = (weightDecay, nesterov)
  }
}

/// Where a tensor's elements are, and where they are computed with.
///
/// ```swift
/// Tensor([1, 2]).device        // cpu
/// ```
public struct Device: Equatable, Sendable, CustomStringConvertible {
  package let backend: any Backend

  package init(_ backend: any Backend) {
    self.backend = backend
  }

  /// The processor, with all its cores.
  public static let cpu = Device(CPUBackend.shared)

  /// The device's name.
  public var description: String { backend.name }

  public static func == (a: Device, b: Device) -> Bool { a.backend === b.backend }
}
