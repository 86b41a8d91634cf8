import CEmbeddedFiles
import Foundation

/// OpenCL C that is compiled together: files of this module, and macros that are defined before them.
package struct KernelSource: Hashable, Sendable {
  /// The files, without their extension, in this order.
  package let files: [File]
  /// Macros, as they are given to the compiler: `"WIDTH=28"`.
  package let macros: [String]

  /// Computed once: a source is looked up for each kernel that is run.
  private let hash: Int

  package init(_ files: File..., macros: [String] = []) {
    self.init(files: files, macros: macros)
  }

  package init(files: [File], macros: [String]) {
    (self.files, self.macros) = (files, macros)
    var hasher = Hasher()
    hasher.combine(files)
    hasher.combine(macros)
    hash = hasher.finalize()
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(hash) }

  /// Sources without macros that are used again and again.
  package static let elementwise = KernelSource(.elementwise)
  package static let sums = KernelSource(.sums)
  package static let losses = KernelSource(.groupSums, .losses)
  package static let lstm = KernelSource(.lstm)
  package static let normalization = KernelSource(.groupSums, .normalization)
  package static let pooling = KernelSource(.groupSums, .pooling)

  /// A file of OpenCL C in the folder `Source`.
  package enum File: String, CaseIterable, Sendable {
    case arithmetic
    case arrays
    case batchedProduct = "batched-product"
    case convolutionForward = "convolution-forward"
    case convolutionGradients = "convolution-gradients"
    case convolutionParts = "convolution-parts"
    case convolutionSmall = "convolution-small"
    case ctc
    case elementwise
    case frontConvolution = "front-convolution"
    case groupSums = "group-sums"
    case groupedConvolution = "grouped-convolution"
    case losses
    case lstm
    case normalization
    case optimizers
    case pooling
    case positions
    case productsCore = "products-core"
    case reductions
    case smallWeightGradient = "small-weight-gradient"
    case sums
    case tensorCores = "tensor-cores"
    case tileConvolution = "tile-convolution"
    case tileParts = "tile-parts"
    case tileWeightGradient = "tile-weight-gradient"
    case tileWeights = "tile-weights"
  }

  /// The text that is compiled.
  package var text: String {
    files.map { String(cString: embedded_file("\($0.rawValue).cl")) }.joined(separator: "\n")
  }

  /// The macros as options of the compiler.
  var options: String { macros.map { "-D \($0)" }.joined(separator: " ") }
}
