import Foundation
import LabData
import LabModels
import LabNetworks
import LabTensors
import LabTraining

extension ModelConfiguration {
  /// The number of parameters, counted without memory for them; nil if it is too large for an `Int`.
  private func parameterCount(for data: DataConfig) -> Int? {
    ParameterCounting.count { model(for: data) }
  }

  /// Refuses a model with more parameters than its checkpoint has numbers: shapes with a zero take no
  /// space in a file, so that a small file could name sizes of any network.
  ///
  /// - Throws: ``DataError`` if the file is too small.
  func check(for data: DataConfig, against file: Safetensors, at url: URL) throws {
    let found = file.tensors.values.reduce(0) { $0 + $1.count }
    guard let count = parameterCount(for: data), count <= found else {
      throw DataError(
        .damaged,
        "\(url.path(percentEncoded: false)): expected the weights of \(modelClass) with the options in "
          + "the header, got \(found) numbers, which are fewer")
    }
  }

  /// Refuses a model that does not fit into memory, before any of it is used.
  ///
  /// Training needs at least four numbers for each parameter: the weight, its gradient and Adam's two
  /// moments.
  ///
  /// - Parameter data: The shape of the images, and the classes.
  /// - Throws: ``DataError`` if it does not fit.
  package func checkMemory(for data: DataConfig) throws {
    let count = parameterCount(for: data)
    let (bytes, overflow) = (count ?? .max).multipliedReportingOverflow(by: 4 * 4)
    let sizes = descriptions.compactMap { option -> String? in
      guard case .size = option.kind, let value = options[option.name] else { return nil }
      return "--\(option.name)=\(value)"
    }
    try requireMemory(
      overflow ? .max : bytes, for: "training \(modelClass) with \(sizes.joined(separator: " "))",
      advice: "choose a smaller model")
  }
}
