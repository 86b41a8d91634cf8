import LabTensors

/// The rectified linear unit as a layer; see ``relu(_:)``.
public struct ReLU: Layer {
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { relu(x) }
}

/// The logistic function as a layer; see ``sigmoid(_:)``.
public struct Sigmoid: Layer {
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { sigmoid(x) }
}

/// The hyperbolic tangent as a layer; see ``tanh(_:)``.
public struct Tanh: Layer {
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { tanh(x) }
}

/// The Gaussian error linear unit as a layer; see ``gelu(_:)``.
public struct GELU: Layer {
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { gelu(x) }
}

/// The sigmoid linear unit as a layer; see ``silu(_:)``.
public struct SiLU: Layer {
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { silu(x) }
}
