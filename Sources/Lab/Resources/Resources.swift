import CEmbeddedFiles

/// The files of data sets that are part of the program.
package enum Resources {
  /// `metadata.json` of MNIST.
  package static var mnist: [UInt8] { bytes("mnist.json") }
  /// `metadata.json` of EMNIST.
  package static var emnist: [UInt8] { bytes("emnist.json") }
  /// `metadata.json` of the Brown corpus.
  package static var brown: [UInt8] { bytes("brown.json") }
  /// The sentences for synthetic lines.
  package static var sentences: [UInt8] { bytes("sentences.txt") }

  private static func bytes(_ name: String) -> [UInt8] {
    Array(String(cString: embedded_file(name)).utf8)
  }
}
