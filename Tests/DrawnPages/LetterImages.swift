import LabData
import LabRandom

/// The letters of a data set, for drawing pages.
package struct LetterImages {
  private let data: Dataset
  /// The positions of each character's images.
  private let samples: [Character: [Int]]

  /// - Parameters:
  ///   - data: Images of 28×28 pixels.
  ///   - mapping: The text of each label.
  package init(_ data: Dataset, mapping: [String]) {
    self.data = data
    var samples: [Character: [Int]] = [:]
    for position in 0..<data.count {
      let text = mapping[data.label(at: position)]
      if text.count == 1, let character = text.first {
        samples[character, default: []].append(position)
      }
    }
    self.samples = samples
  }

  /// A random image of a character: 784 bytes; nil if there is none.
  package func image(of character: Character, using random: inout RandomState) -> [UInt8]? {
    guard let positions = samples[character] else { return nil }
    let position = positions[random.integer(below: positions.count)]
    return data.withPixels { bytes, start in
      (0..<784).map {
        bytes.unsafeLoad(fromByteOffset: start(position) + $0, as: UInt8.self)
      }
    }
  }
}
