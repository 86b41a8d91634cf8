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
    case elementwise, sums
    case productsCore = "products-core"
    case batchedProduct = "batched-product"
    case convolutionParts = "convolution-parts"
    case convolutionForward = "convolution-forward"
    case convolutionSmall = "convolution-small"
    case convolutionGradients = "convolution-gradients"
    case groupedConvolution = "grouped-convolution"
    case tileWeightGradient = "tile-weight-gradient"
    case smallWeightGradient = "small-weight-gradient"
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
    case .sums: PackageResources.sums_cl
    case .productsCore: PackageResources.products_core_cl
    case .batchedProduct: PackageResources.batched_product_cl
    case .convolutionParts: PackageResources.convolution_parts_cl
    case .convolutionForward: PackageResources.convolution_forward_cl
    case .convolutionSmall: PackageResources.convolution_small_cl
    case .convolutionGradients: PackageResources.convolution_gradients_cl
    case .groupedConvolution: PackageResources.grouped_convolution_cl
    case .tileWeightGradient: PackageResources.tile_weight_gradient_cl
    case .smallWeightGradient: PackageResources.small_weight_gradient_cl
    }
  }
}
