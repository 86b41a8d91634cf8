// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// A package outside the repository that uses the library; `scripts/consumer` builds and runs it with
/// each kind of dependency.
///
/// - With `LAB_REPOSITORY` and `LAB_VERSION` set it depends by version, as on a published release.
/// - Otherwise it depends by path: that in `LAB_PATH`, or the repository itself.
let lab: Package.Dependency
if let repository = Context.environment["LAB_REPOSITORY"],
  let version = Context.environment["LAB_VERSION"].flatMap(Version.init)
{
  lab = .package(url: repository, .upToNextMinor(from: version))
} else {
  lab = .package(name: "lab", path: Context.environment["LAB_PATH"] ?? "../..")
}

let package = Package(
  name: "consumer",
  platforms: [.macOS(.v15)],
  dependencies: [
    lab, .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: notebooks() + [
    .executableTarget(
      name: "own-model",
      dependencies: [
        .product(name: "LabData", package: "lab"),
        .product(name: "LabNetworks", package: "lab"),
        .product(name: "LabTensors", package: "lab"),
        .product(name: "LabTraining", package: "lab"),
        .product(name: "Plot", package: "lab"),
      ],
      path: "Sources/OwnModel"),
    .executableTarget(
      name: "own-figure", dependencies: [.product(name: "Plot", package: "lab")],
      path: "Sources/OwnFigure"),
  ]
)

/// The programs in the folder `Notebooks`, one in each folder there.
func notebooks() -> [Target] {
  let folder = "\(Context.packageDirectory)/Notebooks"
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  return names.filter { !$0.hasPrefix(".") }.sorted().map { name in
    .executableTarget(
      name: name,
      dependencies: [
        .product(name: "Lab", package: "lab"), .product(name: "Literate", package: "lab"),
        .product(name: "Notebook", package: "lab"), .product(name: "Plot", package: "lab"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Notebooks/\(name)", swiftSettings: [.defaultIsolation(MainActor.self)])
  }
}
