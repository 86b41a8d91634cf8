import Foundation

/// OpenCL C that is compiled together: files of this module, and macros that are defined before them.
package struct KernelSource: Hashable, Sendable {
  /// The files, without their extension, in this order.
  package let files: [File]
  /// Macros, as they are given to the compiler: `"WIDTH=28"`.
  package let macros: [String]

  package init(_ files: File..., macros: [String] = []) {
    (self.files, self.macros) = (files, macros)
  }

  package init(files: [File], macros: [String]) {
    (self.files, self.macros) = (files, macros)
  }

  /// A file of OpenCL C in the folder `Source`.
  package enum File: String, Sendable {
    case elementwise
    case groupSums = "group_sums"
    case normalization, pooling, losses, ctc, lstm
  }

  /// The text that is compiled.
  var text: String {
    files.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "\n")
  }

  /// The macros as options of the compiler.
  var options: String { macros.map { "-D \($0)" }.joined(separator: " ") }
}

extension KernelSource.File {
  fileprivate var bytes: [UInt8] {
    switch self {
    case .elementwise: PackageResources.elementwise_cl
    case .groupSums: PackageResources.group_sums_cl
    case .normalization: PackageResources.normalization_cl
    case .pooling: PackageResources.pooling_cl
    case .losses: PackageResources.losses_cl
    case .ctc: PackageResources.ctc_cl
    case .lstm: PackageResources.lstm_cl
    }
  }
}
