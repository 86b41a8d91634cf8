// swift-tools-version: 6.2
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// What `import Lab` gives. Who imports it depends on each of these modules: of a module that only
/// passes others on, SwiftPM does not notice that they have changed.
let modules = [
  "Random", "Processes", "Tensors", "Networks", "Models", "Data", "Files", "Handwriting", "Text",
  "Datasets", "Training", "MPI", "Experiments",
].map { "Lab\($0)" }
let lab = (["Lab"] + modules).map { Target.Dependency.target(name: $0) }

/// One folder of loops, built for each set of vector instructions; the program chooses at start.
#if arch(arm64)
  let kernelSets = [kernelSet("NEON")]
#else
  let kernelSets = [
    kernelSet("AVX512", march: "x86-64-v4"),
    kernelSet("AVX2", march: "x86-64-v3"), kernelSet("Portable"),
  ]
#endif

/// The pkg-config file of MPI: on Debian by default the one that `update-alternatives` has chosen.
#if os(Linux)
  let defaultMPI = "mpi-c"
#else
  let defaultMPI = "ompi-c"
#endif
/// `LAB_MPI`, which turns the trait MPI on: 1 for the default file, or the name of another one.
let wantedMPI = Context.environment["LAB_MPI"].flatMap { $0.isEmpty ? nil : $0 }
let mpi = wantedMPI.flatMap { $0 == "1" ? nil : $0 } ?? defaultMPI

/// The folders of `Notebooks` that have a program; `lab notebooks new` makes another one.
let notebooks = contents(of: "Notebooks").filter {
  contents(of: "Notebooks/\($0)").contains("main.swift")
}

/// The programs of `lab-kernel`, which builds the cells of Jupyter notebooks: for each session a folder in
/// the folder that this variable names. Without the variable, which only the kernel sets, there are none.
let sessions =
  Context.environment["LAB_KERNEL_SESSIONS"].map { folder in
    (1...8).map { session("kernel-session-\($0)", path: "\(folder)/kernel-session-\($0)") }
  } ?? []

/// The students' version of the package has neither tests nor benchmarks.
let hasTests = !contents(of: "Tests").isEmpty

let package = Package(
  name: "lab",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Lab", targets: ["Lab"] + modules),
    .library(name: "LabRandom", targets: ["LabRandom"]),
    .library(name: "LabTensors", targets: ["LabTensors"]),
    .library(name: "LabNetworks", targets: ["LabNetworks"]),
    .library(name: "LabData", targets: ["LabData"]),
    .library(name: "LabHandwriting", targets: ["LabHandwriting"]),
    .library(name: "LabText", targets: ["LabText"]),
    .library(name: "LabDatasets", targets: ["LabDatasets", "LabData"]),
    .library(name: "LabTraining", targets: ["LabTraining", "LabData"]),
    .library(name: "Plot", targets: ["Plot"]),
    .library(name: "Literate", targets: ["Literate"]),
    .library(name: "Notebook", targets: ["Notebook"]),
    .executable(name: "lab", targets: ["LabCommand"]),
    .executable(name: "lab-kernel", targets: ["lab-kernel"]),
  ],
  traits: [
    .trait(
      name: "MPI",
      description: "Training by several processes, on one machine or several, that mpirun starts."),
    .default(enabledTraits: wantedMPI == nil ? [] : ["MPI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    library("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev", brew: "libarchive"),
    library("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev", brew: "curl"),
    library("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev", brew: "openssl@3"),
    library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev", brew: "zlib"),
    library("CPNG", pkgConfig: "libpng", apt: "libpng-dev", brew: "libpng"),
    library("CJPEG", pkgConfig: "libjpeg", apt: "libjpeg62-turbo-dev", brew: "jpeg-turbo"),
    library("CFreeType", pkgConfig: "freetype2", apt: "libfreetype-dev", brew: "freetype"),
    library(
      "CMarkdown", pkgConfig: "libcmark-gfm",
      apt: "libcmark-gfm-dev libcmark-gfm-extensions-dev", brew: "cmark-gfm"),
    // No flags: the library is opened when it is first needed.
    .systemLibrary(
      name: "COpenCL", providers: [.apt(["ocl-icd-opencl-dev"])]),
    // The same, and without headers: `Kernels` opens the library or does without.
    .systemLibrary(
      name: "CBLAS", providers: [.apt(["libopenblas-dev"])]),
    // Only with the trait MPI. LAB_MPI=mpich builds with MPICH where Debian would take Open MPI.
    .systemLibrary(name: "CMPI", pkgConfig: mpi),
    library("CZeroMQ", pkgConfig: "libzmq", apt: "libzmq3-dev", brew: "zeromq"),
    .systemLibrary(name: "CStandardOutput"),
    .systemLibrary(name: "CPipes"),
    .target(name: "CEmbeddedFiles"),

    .target(
      name: "StandardStreams", dependencies: ["CStandardOutput"], swiftSettings: strict),
    .target(name: "Digests", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(name: "ImageFiles", dependencies: ["CPNG", "CJPEG"], swiftSettings: strict),

    .systemLibrary(name: "CVectors"),
    .target(name: "KernelInterface", swiftSettings: strict),
    .target(
      name: "Kernels",
      dependencies: ["KernelInterface", "CBLAS"] + kernelSets.map { .target(name: $0.name) },
      swiftSettings: strict),
    .target(
      name: "OpenCLKernels", dependencies: ["CEmbeddedFiles", "COpenCL", "Digests"],
      exclude: ["Source"], swiftSettings: strict),
    module("Random"),
    module("Processes"),
    .target(
      name: "LabMPI",
      dependencies: ["LabProcesses", .target(name: "CMPI", condition: .when(traits: ["MPI"]))],
      path: "Sources/Lab/MPI",
      // Two libraries must not share a compiled CMPI.
      swiftSettings: strict + [.unsafeFlags(["-Xcc", "-DLAB_MPI=\"\(mpi)\""])]),
    module("Tensors", ["Kernels", "LabRandom", "OpenCLKernels"]),
    module("Networks", ["LabRandom", "LabTensors"]),
    module("Models", ["LabNetworks", "LabRandom", "LabTensors"]),
    module(
      "Data", ["LabRandom", "LabTensors", "Kernels", "Digests", "ImageFiles", "StandardStreams"]),
    module("Files", ["LabData", "LabResources", "Digests", "CArchive", "CCurl", "CZlib"]),
    module("Handwriting", ["LabRandom", "LabTensors", "Kernels"]),
    module("Text", ["LabData", "LabTensors", "Digests", "Kernels"]),
    module(
      "Datasets",
      [
        "LabData", "LabFiles", "LabHandwriting", "LabRandom", "LabResources", "LabTensors",
        "LabText", "Digests",
      ]),
    module("Resources", ["CEmbeddedFiles"], exclude: ["Metadata", "Text"]),
    module(
      "Training",
      [
        "LabData", "LabNetworks", "LabProcesses", "LabRandom", "LabTensors", "LabText", "Kernels",
        "Digests",
      ]),
    module(
      "Experiments",
      [
        "LabData", "LabDatasets", "LabModels", "LabMPI", "LabNetworks", "LabProcesses", "LabRandom",
        "LabTensors", "LabText", "LabTraining", "Kernels", "StandardStreams", arguments,
      ]),
    .target(
      name: "Lab", dependencies: modules.map { .target(name: $0) }, path: "Sources/Lab/Lab",
      swiftSettings: strict),
    .target(
      name: "Plot", dependencies: ["ImageFiles", "CFreeType"], exclude: ["Fonts/LICENSE"],
      swiftSettings: strict),
    .executableTarget(
      name: "LabCommand",
      dependencies: lab + [
        "JupyterKernel", "Kernels", "Literate", "NotebookServer", "Plot", arguments,
      ],
      swiftSettings: strict),
    .target(
      name: "JupyterKernel", dependencies: ["Digests", "Literate", "Plot"], swiftSettings: strict),
    .executableTarget(
      name: "lab-kernel", dependencies: ["JupyterKernel", "CZeroMQ"], swiftSettings: strict),

    .target(
      name: "Literate",
      dependencies: [
        "Plot", "StandardStreams", "CEmbeddedFiles", "CMarkdown", "CPipes", "Digests", arguments,
      ],
      exclude: ["Pages/Style"], swiftSettings: strict),
    .target(
      name: "NotebookServer",
      dependencies: [
        "Literate", "CEmbeddedFiles", .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ],
      exclude: ["Client"], swiftSettings: strict),
    .target(
      name: "Notebook", dependencies: lab + ["Kernels", "Literate", "Plot", arguments],
      swiftSettings: strict),
  ] + kernelSets + notebooks.map(notebook) + sessions + (hasTests ? tests : [])
)

if let names = Context.environment["LAB_ONLY_TESTS"] {
  keepTargets(of: names.split(separator: ",").map(String.init))
}

/// Leaves out what these test targets do not need: `scripts/sanitize` builds everything once more.
@MainActor func keepTargets(of tests: [String]) {
  var kept: Set<String> = []
  var open = tests
  while let name = open.popLast() {
    guard kept.insert(name).inserted, let target = package.targets.first(where: { $0.name == name })
    else { continue }
    for dependency in target.dependencies {
      switch dependency {
      case .targetItem(let name, _), .byNameItem(let name, _): open.append(name)
      default: break
      }
    }
  }
  package.targets.removeAll { !kept.contains($0.name) }
  package.products = []
}

var tests: [Target] {
  [
    .executableTarget(
      name: "kernel-bench", dependencies: ["Kernels"], path: "Benchmarks/Kernels",
      swiftSettings: strict),
    .executableTarget(
      name: "step-bench", dependencies: lab + [arguments], path: "Benchmarks/Steps",
      swiftSettings: strict + [.defaultIsolation(MainActor.self)]),
    .executableTarget(
      name: "gpu-bench", dependencies: lab + [arguments], path: "Benchmarks/GPU",
      swiftSettings: strict + [.defaultIsolation(MainActor.self)]),
    .executableTarget(
      name: "lines-bench", dependencies: lab, path: "Benchmarks/Lines", swiftSettings: strict),
    .executableTarget(
      name: "pages-bench", dependencies: lab + ["DrawnPages", arguments], path: "Benchmarks/Pages",
      swiftSettings: strict),

    .executableTarget(
      name: "parity", dependencies: lab + [arguments], path: "Tests/Parity",
      exclude: ["networks.py", "test_parity.py"],
      swiftSettings: strict + [.defaultIsolation(MainActor.self)]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels"], swiftSettings: strict),
    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
    .target(
      name: "DrawnPages", dependencies: ["LabData", "LabRandom", "ImageFiles"],
      path: "Tests/DrawnPages", swiftSettings: strict),
    .target(name: "Spawning", path: "Tests/Spawning", swiftSettings: strict),
    .target(name: "Submissions", path: "Tests/Submissions", swiftSettings: strict),
    // One thread compiles a module: the tests of the library are four, which take about equally long.
    .target(
      name: "TestSupport", dependencies: lab + ["Digests", "Kernels"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "OperationsTests", dependencies: lab + ["Digests", "Kernels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DataTests", dependencies: lab + ["Digests", "Fuzzing", "ImageFiles", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "HandwritingTests",
      dependencies: lab + ["Digests", "DrawnPages", "ImageFiles", "Kernels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "TrainingTests", dependencies: lab + ["Kernels", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "OpenCLTests", dependencies: lab + ["OpenCLKernels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PlotTests", dependencies: ["Plot", "Fuzzing", "ImageFiles"], swiftSettings: strict),
    .testTarget(
      name: "LiterateTests",
      dependencies: [
        "Literate", "Plot", "Spawning", "Submissions", "test-notebook", "cached-notebook",
        "graded-notebook",
      ],
      swiftSettings: strict),
    testNotebook("test-notebook"),
    testNotebook("cached-notebook"),
    testNotebook("graded-notebook"),
    .testTarget(
      name: "NotebookServerTests",
      dependencies: ["Literate", "NotebookServer", "cached-notebook", "test-notebook"],
      swiftSettings: strict),
    .testTarget(
      name: "JupyterKernelTests", dependencies: ["JupyterKernel", "Literate"],
      swiftSettings: strict),
    .testTarget(
      name: "LabCommandTests",
      dependencies: lab + [
        "DrawnPages", "ImageFiles", "LabCommand", "Literate", "Plot", "Spawning", "test-notebook",
        "01-look-at-emnist",
        "02-look-at-emnist-lines", "03-train-from-the-command-line", "04-homework-resnet",
      ],
      swiftSettings: strict),
  ]
}

/// A C library of the system: a module map and a `shim.h` in `Sources/NAME`, nothing else.
func library(_ name: String, pkgConfig: String, apt: String, brew: String) -> Target {
  // On Linux these need no flags, and Debian's .pc files have some that SwiftPM warns of.
  #if os(Linux)
    let pkgConfig = ["libcurl", "libzmq"].contains(pkgConfig) ? nil : pkgConfig
  #endif
  return .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt]), .brew([brew])])
}

/// A module of the library: the folder `Sources/Lab/NAME` is the module `LabNAME`.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .target(
    name: "Lab\(name)", dependencies: dependencies, path: "Sources/Lab/\(name)", exclude: exclude,
    swiftSettings: strict)
}

/// A notebook: one executable whose top-level code runs on the main actor. Beside its sources there may be
/// accepted results and other files.
func notebook(_ name: String) -> Target {
  let path = "Notebooks/\(name)"
  return .executableTarget(
    name: name, dependencies: lab + ["Literate", "Notebook", "Plot", arguments], path: path,
    exclude: contents(of: path).filter { !$0.hasSuffix(".swift") },
    swiftSettings: warnings(of: path) + [.defaultIsolation(MainActor.self)])
}

/// Warnings are errors, except in exercises: an answer may have an unused variable.
func warnings(of path: String) -> [SwiftSetting] {
  let text = try? String(
    contentsOfFile: "\(Context.packageDirectory)/\(path)/main.swift", encoding: .utf8)
  let marks = ["BEGIN SOLUTION", "BEGIN ANSWER"].map { "// \($0)" }
  return marks.contains { (text ?? "").contains($0) } ? [] : strict
}

/// A notebook that the tests of the runner run.
func testNotebook(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["Literate", "Plot", arguments], path: "Tests/Notebooks/\(name)",
    swiftSettings: warnings(of: "Tests/Notebooks/\(name)") + [.defaultIsolation(MainActor.self)])
}

/// The names of the files and folders in a folder of the package, without hidden ones.
func contents(of folder: String) -> [String] {
  let names = try? FileManager.default.contentsOfDirectory(
    atPath: "\(Context.packageDirectory)/\(folder)")
  return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
}

/// The cells of a Jupyter notebook: not strict, because a half-written cell may have warnings.
func session(_ name: String, path: String) -> Target {
  .executableTarget(
    name: name, dependencies: lab + ["Kernels", "Literate", "Notebook", "Plot", arguments],
    path: path, swiftSettings: [.defaultIsolation(MainActor.self)])
}

/// The folder `Sources/KernelsNAME` is a link to `Sources/KernelLoops`.
func kernelSet(_ name: String, march: String? = nil) -> Target {
  // Unoptimised loops are hundreds of times slower: debug builds and tests would never end. Without
  // errno a square root is one instruction.
  var flags = ["-Xcc", "-fno-math-errno"]
  if let march { flags += ["-Xcc", "-march=\(march)"] }
  return .target(
    name: "Kernels\(name)", dependencies: ["KernelInterface", "CVectors"],
    swiftSettings: strict + [
      .define(name.uppercased()), .unsafeFlags(flags),
      .unsafeFlags(["-O"], .when(configuration: .debug)),
    ],
    linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))])
}
