import LabRandom
import LabTensors

/// The default initial weights of PyTorch's `Conv2d` and `Linear`: uniform within
/// `±gain · √(3 / fanIn)` with the gain √(1/3) of `kaiming_uniform_(a=√5)`.
///
/// - Parameters:
///   - shape: The weight's shape.
///   - fanIn: The number of inputs that each output is a sum over.
///   - generator: The random number generator.
///
/// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, and PyTorch's choice of a.
func defaultWeight(shape: [Int], fanIn: Int, generator: Generator) -> Parameter {
  let gain = (2.0 / (1 + 5)).squareRoot()
  let bound = 3.0.squareRoot() * (gain / Double(fanIn).squareRoot())
  return uniform(shape, bound: bound, generator)
}

/// The default initial bias of PyTorch's `Conv2d` and `Linear`: uniform within `±1/√fanIn`.
///
/// - Parameters:
///   - count: The number of outputs.
///   - fanIn: The number of inputs that each output is a sum over.
///   - generator: The random number generator.
func defaultBias(count: Int, fanIn: Int, generator: Generator) -> Parameter {
  uniform([count], bound: 1 / Double(fanIn).squareRoot(), generator)
}

/// Replaces the weight of a convolution or of a linear layer as
/// `kaiming_normal_(mode="fan_out", nonlinearity="relu")` does: normal with the standard deviation
/// `√(2 / fanOut)`, where fanOut is the number of outputs that each input contributes to.
///
/// - Parameters:
///   - weight: Output channels × input channels × height × width, or outputs × inputs.
///   - generator: The random number generator.
///
/// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015.
public func kaimingNormal(_ weight: Parameter, generator: Generator = .shared) {
  let fanOut = weight.shape[0] * weight.shape.dropFirst(2).reduce(1, *)
  guard !ParameterCounting.isActive else { return }
  let deviation = 2.0.squareRoot() / Double(fanOut).squareRoot()
  weight.load(elements: generator.normal(count: weight.count, std: deviation))
}

/// Replaces a parameter by normally distributed numbers, as PyTorch's `nn.init.normal_` does.
///
/// - Parameters:
///   - parameter: The parameter.
///   - mean: The mean.
///   - std: The standard deviation.
///   - generator: The random number generator.
public func normal(
  _ parameter: Parameter, mean: Double = 0, std: Double = 1, generator: Generator = .shared
) {
  guard !ParameterCounting.isActive else { return }
  parameter.load(elements: generator.normal(count: parameter.count, mean: mean, std: std))
}

/// The default initial weights of PyTorch's `Embedding`: normal with the standard deviation 1.
///
/// - Parameters:
///   - shape: The weight's shape.
///   - generator: The random number generator.
func standardNormal(shape: [Int], generator: Generator) -> Parameter {
  if ParameterCounting.isActive { return ParameterCounting.parameter(shape) }
  return Parameter(Tensor(generator.normal(count: shape.reduce(1, *), std: 1), shape: shape))
}

/// The default initial weights and biases of PyTorch's `LSTM`: uniform within `±1/√units`.
///
/// - Parameters:
///   - shape: The shape.
///   - units: The number of units.
///   - generator: The random number generator.
func recurrentWeight(shape: [Int], units: Int, generator: Generator) -> Parameter {
  uniform(shape, bound: 1 / Double(units).squareRoot(), generator)
}

private func uniform(_ shape: [Int], bound: Double, _ generator: Generator) -> Parameter {
  if ParameterCounting.isActive { return ParameterCounting.parameter(shape) }
  let elements = generator.uniform(count: shape.reduce(1, *), Float(-bound), Float(bound))
  return Parameter(Tensor(elements, shape: shape))
}
