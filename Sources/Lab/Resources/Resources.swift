/// The files that are part of the program, in a module of their own: compiling them takes longer than
/// compiling all data sets.
package enum Resources {
  /// `metadata.json` of MNIST.
  package static var mnist: [UInt8] { PackageResources.mnist_json }
  /// `metadata.json` of EMNIST.
  package static var emnist: [UInt8] { PackageResources.emnist_json }
  /// `metadata.json` of the Brown corpus.
  package static var brown: [UInt8] { PackageResources.brown_json }
  /// The sentences for synthetic lines.
  package static var sentences: [UInt8] { PackageResources.sentences_txt }
}
