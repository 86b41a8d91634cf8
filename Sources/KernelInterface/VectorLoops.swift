// Pointers: arguments that `Kernels` passes to its inner loops.

/// The inner loops of all kernels, which are built once for each set of vector instructions.
///
/// A loop runs on the calling thread and allocates nothing: `Kernels` divides the work and provides the
/// memory. Only that module calls the loops, through this protocol, so that no instruction is executed
/// before the processor is known to support it.
///
/// Every `scratch` has ``scratchCount`` floats, undefined before and after.
public protocol VectorLoops: SendableMetatype {
  /// Floats in a vector. The channels of transformed images are rounded up to a multiple of it.
  static var vectorLanes: Int { get }
  /// The most floats that a loop uses as its `scratch`.
  static var scratchCount: Int { get }

  /// Computes at the processor's peak, from registers and the L1 cache, as a yardstick for benchmarks.
  /// Returns the number of multiplications and additions.
  static func multiplyAtPeak(scratch: UnsafeMutablePointer<Float>) -> Int

  /// `C = A B` or `C += A B`; C is m × n, A m × k, B k × n, C's rows are contiguous.
  static func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>)

  /// Columns of a packed matrix that lie side by side.
  static var panelWidth: Int { get }
  /// Terms that are added in one pass over the rows of a packed product.
  static var packedDepth: Int { get }
  /// The floats of a packed k × n matrix.
  static func packedCount(k: Int, n: Int) -> Int
  /// Copies B, k × n, into the order in which products read it, for several products with it. Parts of
  /// ``packedDepth`` rows can be packed one after another.
  static func pack(
    _ b: StridedMatrix, k: Int, n: Int, into packed: UnsafeMutablePointer<Float>)
  /// `C = start + A B` with B packed: m × k times k × n. Prefetches what follows B in memory, because
  /// the next product is usually with that.
  ///
  /// - Parameter start: A row of whole vectors that the sums of each row start from; nil to add to C.
  static func multiplyPacked(
    _ a: StridedMatrix, _ packed: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    stride: Int, m: Int, n: Int, k: Int, start: UnsafePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>)

  /// Writes the rows × columns matrix at `source` as a columns × rows matrix.
  static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int)

  // MARK: Winograd convolution
  //
  // x, dx, y and dy are whole batches of channels-last images; `tiles` some of their tiles.
  // v and dv are tiles × 36 × channels, m and dm tiles × 36 × filters, with a gap
  // after each tile; u is 36 × channels × filters.

  /// Writes U for these input channels; `taps` holds 9 · channels.count · filters floats.
  static func winogradWeights(
    _ weight: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, channels: Range<Int>,
    _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)

  /// `dWeight = Gᵀ dU G` for these input channels, with dU the sum of `parts` arrays in their order.
  static func winogradWeightGradient(
    _ du: UnsafePointer<Float>, parts: Int, into dWeight: UnsafeMutablePointer<Float>,
    channels: Range<Int>, _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>)

  /// `V = Bᵀ d B`; `isCached` says whether x has just been written.
  static func winogradInput(
    _ x: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, tiles: TileRange,
    isCached: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `dd += B dV Bᵀ`.
  static func winogradInputGradient(
    _ dv: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `C[ξ] = A[ξ] B[ξ]`: A is tiles × terms, B terms × columns.
  static func winogradProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, terms: Int, columns: Int, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// `dU[ξ] = Vᵀ[ξ] dM[ξ]` or `dU[ξ] += …`.
  static func winogradWeightProducts(
    _ v: UnsafePointer<Float>, _ dm: UnsafePointer<Float>, into du: UnsafeMutablePointer<Float>,
    tiles: Int, adding: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `Y = activation(Aᵀ M A + bias)`; the bias has as many floats as there are filters.
  static func winogradOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// `dM = A dY Aᵀ`, with dY set to 0 where y is given and not positive.
  static func winogradOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into dm: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// The epilogue, which includes pooling, applied to `Aᵀ M A + bias`; the codes are the positions of
  /// the largest pixels.
  static func winogradPooledOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    into y: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>?, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `dM = A dY Aᵀ`, with dY given by the pooled gradient times `scale` and the codes.
  static func winogradPooledOutputGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>, scale: Float,
    into dm: UnsafeMutablePointer<Float>, addingTo dBias: UnsafeMutablePointer<Float>,
    tiles: TileRange, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  // MARK: Direct convolution

  /// `y = activation(x ∗ weight + bias)`; the weight is R × S × C × filters, in panels of
  /// ``panelWidth`` filters after each other.
  static func directForward(
    _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// The gradient of the weight, R × S × C × filters, from that of the output, which has `filters`
  /// floats for each pixel.
  static func directWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents)

  /// Copies dy to `filters` floats for each pixel, with 0 where y is given and not positive, and adds
  /// up each channel.
  static func directOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into copy: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, pixels: Int, k: Int, filters: Int)

  // MARK: Elementwise

  /// `y = max(x, 0)`; NaN stays NaN.
  static func relu(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)

  /// `dx = dy` where y is positive, else 0.
  static func reluGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int)

  /// `y = activation(a + b)`.
  static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, count: Int)

  /// `y = operation(a, b)`; a step of 0 repeats an operand.
  static func binary(
    _ operation: BinaryOperation, _ a: UnsafePointer<Float>, step aStep: Int,
    _ b: UnsafePointer<Float>, step bStep: Int, into y: UnsafeMutablePointer<Float>, count: Int)

  /// The gradient of an operand of ``binary(_:_:step:_:step:into:count:)``, element by element.
  static func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into d: UnsafeMutablePointer<Float>, count: Int)

  /// `y = x · scale` where the rule keeps an element, else 0; the elements' indices are `step`
  /// apart.
  static func dropout(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
    _ rule: DropoutRule, first: Int, step: Int)

  /// One step of Adam.
  static func adamStep(
    value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
    _ rule: AdamRule)

  // MARK: Long short-term memory

  /// Replaces the sums of the gates by the gates, and writes the cells and the outputs, whose rows
  /// are `stride` floats apart.
  static func lstmGates(_ step: LSTMStep, into y: UnsafeMutablePointer<Float>, stride: Int)

  /// Replaces the gates by the gradients of their sums.
  ///
  /// - Parameters:
  ///   - dy: The gradient of the outputs, with rows `stride` floats apart.
  ///   - recurrent: Their gradient through the next step, N × H; nil at the last step.
  ///   - dCell: The gradient of the cells through the next step, which is replaced by the one for the
  ///     step before.
  static func lstmGatesGradient(
    _ step: LSTMStep, dy: UnsafePointer<Float>, stride: Int, recurrent: UnsafePointer<Float>?,
    dCell: UnsafeMutablePointer<Float>)

  // MARK: Softmax

  /// The largest element of a row that has one, and `Σ exp(x - largest)`; NaN if x has a NaN.
  static func sumExponentials(
    _ x: UnsafePointer<Float>, count: Int
  ) -> (largest: Float, sum: Float)

  /// `dx = dy - exp(y) Σ dy`.
  static func logSoftmaxGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int)

  // MARK: Connectionist temporal classification
  //
  // `count` states, a multiple of ``vectorLanes``; two more before and after them are read.

  /// `after[s] = x[s] + log(exp(before[s]) + exp(before[s + j]) + exp(before[s + 2 j] + skips[s]))`
  /// with j the `neighbor`, -1 or 1. Minus infinity is represented by -10³⁰.
  static func advanceStates(
    _ before: UnsafePointer<Double>, neighbor: Int, skips: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>, into after: UnsafeMutablePointer<Double>, count: Int)

  /// `y[s] = exp(alpha[s] + beta[s] - x[s] - total)`.
  static func stateProbabilities(
    _ alpha: UnsafePointer<Double>, _ beta: UnsafePointer<Double>, _ x: UnsafePointer<Float>,
    total: Double, into y: UnsafeMutablePointer<Float>, count: Int)

  // MARK: Channels-last images
  //
  // An array of pixels with C channels each.

  /// The largest pixel of each window of one image, and its index in the window, row by row.
  static func maxPooling(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>, channels: Int, _ e: PoolingExtents)

  /// The gradient of ``maxPooling(_:into:codes:channels:_:)``.
  static func maxPoolingGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>,
    addingTo dx: UnsafeMutablePointer<Float>, channels: Int, _ e: PoolingExtents)

  /// `sums += Σ (x - center)` and `squares += Σ (x - center)²` for each channel.
  static func sumMoments(
    _ x: UnsafePointer<Float>, center: UnsafePointer<Float>,
    addingTo sums: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>)

  /// `y = activation(x · scale + shift)` with a scale and a shift for each channel.
  static func scaleChannels(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int)

  /// `sums += Σ dy` and `products += Σ dy (x - mean)` for each channel, with the gradient of
  /// the activation in dy.
  static func sumGradients(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    addingTo sums: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>)

  /// `dx = scale (dy - offset - slope (x - mean))`, with the gradient of the activation in dy.
  static func normalizationGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    into dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int)
}
