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
  package enum File: String, Sendable, CaseIterable {
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
  var text: String {
    files.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "\n")
  }

  /// The macros as options of the compiler.
  var options: String { macros.map { "-D \($0)" }.joined(separator: " ") }
}

extension KernelSource.File {
  fileprivate var bytes: [UInt8] {
    switch self {
    case .arithmetic: PackageResources.arithmetic_cl
    case .arrays: PackageResources.arrays_cl
    case .batchedProduct: PackageResources.batched_product_cl
    case .convolutionForward: PackageResources.convolution_forward_cl
    case .convolutionGradients: PackageResources.convolution_gradients_cl
    case .convolutionParts: PackageResources.convolution_parts_cl
    case .convolutionSmall: PackageResources.convolution_small_cl
    case .ctc: PackageResources.ctc_cl
    case .elementwise: PackageResources.elementwise_cl
    case .frontConvolution: PackageResources.front_convolution_cl
    case .groupSums: PackageResources.group_sums_cl
    case .groupedConvolution: PackageResources.grouped_convolution_cl
    case .losses: PackageResources.losses_cl
    case .lstm: PackageResources.lstm_cl
    case .normalization: PackageResources.normalization_cl
    case .optimizers: PackageResources.optimizers_cl
    case .pooling: PackageResources.pooling_cl
    case .positions: PackageResources.positions_cl
    case .productsCore: PackageResources.products_core_cl
    case .reductions: PackageResources.reductions_cl
    case .smallWeightGradient: PackageResources.small_weight_gradient_cl
    case .sums: PackageResources.sums_cl
    case .tensorCores: PackageResources.tensor_cores_cl
    case .tileConvolution: PackageResources.tile_convolution_cl
    case .tileParts: PackageResources.tile_parts_cl
    case .tileWeightGradient: PackageResources.tile_weight_gradient_cl
    case .tileWeights: PackageResources.tile_weights_cl
    }
  }
}
