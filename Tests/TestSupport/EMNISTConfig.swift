import Lab

extension DataConfig {
  /// One of 83 characters in an image of EMNIST's size.
  package static let emnist = DataConfig(
    inputDims: [1, 28, 28], outputDims: [1], mapping: (0..<83).map(String.init))
}
