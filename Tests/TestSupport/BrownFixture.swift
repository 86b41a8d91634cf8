import Digests
import Foundation
import Lab

/// A `brown.zip` like NLTK's, with two short files of the corpus and two other files.
package enum BrownFixture {
  package static let zip = Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data()

  // files = two texts of word/tag tokens
  // tokens = [token.rsplit("/", 1)[0] for file in files for token in file.split()]
  // " ".join(tokens) without string.punctuation, then re.sub("  +", " ", …)
  package static let text =
    "The old ferry leaves at seven or so said she About 12 a mile out no more it does nt stop "
    + "A man counts 24 boxes of figs and a zither rain falls We ask for tea and jam The queue is by "
    + "the quay "

  /// Writes the archive and metadata for it into a data folder.
  package static func install(in folder: TemporaryFolder, bytes: Data = zip) throws {
    try folder.write(bytes, to: "archive/brown.zip")
    let sum = try SHA256.hexadecimal(of: folder.url.appending(path: "archive/brown.zip"))
    try folder.writeMetadata(
      "brown", filename: "brown.zip", sha256: sum,
      urls: ["file://\(folder.url.path(percentEncoded: false))/archive/brown.zip"])
  }

  private static let base64 = """
    UEsDBBQAAAAIAAAAIVwAAAAAAgAAAAAAAAAGAAAAYnJvd24vAwBQSwMEFAAAAAgAAAAhXK3OdxCOAAAAzAAAAAoAAABicm
    93bi9jYTAyNY09DsIwDEbn9hQ+QSwhNgbEHZCYndShgTYp+UE0pyduYfDw+fN77rsLUoaZPHoPJhSfE751hcMRzQA6fDi1
    JkGw6DxYd98j+QGNARK4ujxyFP6ECiK5zWVpmnaVQtV3N8ZlSQ1Mz7YEG6L4MpPc/mwPmiWdm0XmOrLoX4ULy94l1FxBrx
    v5L2mVTn58AVBLAwQUAAAACAAAACFc1iAcSxAAAAAQAAAADAAAAGJyb3duL1JFQURNRcvLL9HPy1Mozy9KKQYyigFQSwME
    FAAAAAgAAAAhXPgRtQULAAAACQAAAA4AAABicm93bi9jYXRzLnR4dEtONDBUyEstLwYAUEsDBBQAAAAIAAAAIVx3xaT2lQ
    AAAM8AAAAKAAAAYnJvd24vY2EwMTWOQQrDIBBF1/EUfyeUmKG9Qe/QA2iiJQbriJpAc/oaodt5zHtfiOG1OjIVHCxtG94u
    5y/FiODM4Qod8wlTyUcUd7hIi8VII7QmrcGZlgWFKc+QkqTsrBhv259FaeaUCiaahBDDc+a9m+70aB61Bpir/PHBXcWL5g
    SlSClE7ohzG/e/+dp1ltsuyyeirHRDqZxarld+UEsBAhQDFAAAAAgAAAAhXAAAAAACAAAAAAAAAAYAAAAAAAAAAAAAAIAB
    AAAAAGJyb3duL1BLAQIUAxQAAAAIAAAAIVytzncQjgAAAMwAAAAKAAAAAAAAAAAAAACAASYAAABicm93bi9jYTAyUEsBAh
    QDFAAAAAgAAAAhXNYgHEsQAAAAEAAAAAwAAAAAAAAAAAAAAIAB3AAAAGJyb3duL1JFQURNRVBLAQIUAxQAAAAIAAAAIVz4
    EbUFCwAAAAkAAAAOAAAAAAAAAAAAAACAARYBAABicm93bi9jYXRzLnR4dFBLAQIUAxQAAAAIAAAAIVx3xaT2lQAAAM8AAA
    AKAAAAAAAAAAAAAACAAU0BAABicm93bi9jYTAxUEsFBgAAAAAFAAUAGgEAAAoCAAAAAA==
    """
}
