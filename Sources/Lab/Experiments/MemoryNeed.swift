import LabData
import LabModels
import LabNetworks
import LabTensors
import LabTraining

extension ModelConfiguration {
  /// Refuses a model that does not fit into memory, before any of it is used.
  ///
  /// Training needs at least four numbers for each parameter: the weight, its gradient and Adam's two
  /// moments.
  ///
  /// - Parameter data: The shape of the images, and the classes.
  /// - Throws: ``DataError`` if it does not fit.
  package func checkMemory(for data: DataConfig) throws {
    let count = ParameterCounting.count { model(for: data) }
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
