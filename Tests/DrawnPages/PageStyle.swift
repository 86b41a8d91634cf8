/// How a page is written and photographed.
package struct PageStyle: Sendable {
  /// A color: red, green and blue from 0 to 1.
  package typealias Color = SIMD3<Float>

  /// What is printed on the paper.
  package enum Ruling: Sendable {
    case none
    /// Lines below the lines of writing, with a vertical line beside the margin.
    case lines(Color, margin: Color?)
    /// Squares with sides of some fraction of the lines' height.
    case squares(Color, side: Double)
    /// A frame around the writing.
    case frame(Color)
  }

  /// A hand: its pen and its slant.
  package struct Hand: Sendable {
    package var ink: Color
    /// How much wider the strokes are than EMNIST's, from −1 to 1.
    package var weight = 0.0
    /// The shift of a letter's top to the right, as a fraction of its height.
    package var shear = 0.0

    package init(ink: Color, weight: Double = 0, shear: Double = 0) {
      (self.ink, self.weight, self.shear) = (ink, weight, shear)
    }
  }

  /// A shadow that falls on the page.
  package enum Shadow: Sendable {
    case none
    /// The brightness in the shadow, and the width of its edge as a fraction of the page's width.
    case edge(brightness: Float, softness: Double)
  }

  package var name: String
  package var lineCount = 6
  /// The height of a line in pixels: 28 of EMNIST's.
  package var lineHeight = 56.0
  /// The smallest distance of two lines, as a fraction of their height. Lines touch at about −0.2.
  package var gap = 0.35
  /// The largest overlap of neighbouring letters, as a fraction of a letter's width.
  package var maxOverlap = 0.33
  /// The slant of all lines in degrees; positive ones rise to the right.
  package var slant = 0.0
  /// The largest difference of a line's slant from that of the page, in degrees.
  package var slantJitter = 1.0
  /// Whether all letters of a kind look differently. EMNIST Lines has one image of each per line.
  package var varies = false
  /// Whether small letters are smaller than capitals, and some reach below the base line, as on paper.
  /// EMNIST's letters are all equally large.
  package var isNatural = false
  /// The largest number of characters of a line.
  package var lineLength = 30
  package var paper: Color = [0.93, 0.92, 0.89]
  package var hands = [Hand(ink: [0.13, 0.14, 0.2])]
  package var ruling = Ruling.none
  /// The margins around the writing, as a fraction of a line's height.
  package var margin = 1.2
  /// The color of the table around the sheet; without one the sheet fills the picture.
  package var table: Color?
  /// The rotation of the camera in degrees.
  package var rotation = 0.0
  /// How much larger the right and the lower side of the sheet are than their opposites.
  package var perspective = (x: 0.0, y: 0.0)
  /// The bend of the paper: how far its middle is below a straight line, as a fraction of a line's
  /// height.
  package var bend = 0.0
  /// How much darker the darkest side is than the lightest, and the direction in degrees.
  package var fall: (amount: Float, direction: Double) = (0.15, 30)
  package var vignetting: Float = 0.1
  package var shadow = Shadow.none
  /// The standard deviation of the camera's blur in pixels.
  package var blur = 0.7
  /// The standard deviation of the noise of a pixel, as a fraction of white.
  package var noise: Float = 0.012
  /// The quality of the JPEG compression, 1…100; 0 for none.
  package var quality = 80

  package init(_ name: String, _ change: (inout PageStyle) -> Void = { _ in }) {
    self.name = name
    change(&self)
  }
}

extension PageStyle {
  /// The styles of the twenty pages that pages are measured on.
  package static let twenty: [PageStyle] = [
    PageStyle("plain") { _ in },
    PageStyle("small") {
      ($0.lineHeight, $0.lineCount, $0.lineLength) = (30, 10, 44)
      ($0.noise, $0.blur) = (0.008, 0.5)
    },
    PageStyle("large") {
      ($0.lineHeight, $0.lineCount, $0.lineLength) = (120, 3, 20)
      ($0.blur, $0.varies) = (1.2, true)
    },
    PageStyle("ruled") {
      $0.ruling = .lines([0.62, 0.74, 0.88], margin: [0.9, 0.55, 0.55])
      ($0.gap, $0.lineCount) = (0.25, 8)
      $0.hands = [Hand(ink: [0.1, 0.15, 0.45])]
    },
    PageStyle("squared") {
      $0.ruling = .squares([0.7, 0.78, 0.86], side: 0.55)
      ($0.varies, $0.rotation) = (true, 1.5)
    },
    PageStyle("rising") { ($0.slant, $0.fall) = (4, (0.3, 200)) },
    PageStyle("falling") { ($0.slant, $0.varies, $0.lineHeight) = (-4.5, true, 44) },
    PageStyle("two hands") {
      $0.hands = [
        Hand(ink: [0.1, 0.1, 0.12], weight: 0.5, shear: 0.15),
        Hand(ink: [0.2, 0.25, 0.55], weight: -0.4, shear: -0.12),
      ]
      $0.lineCount = 7
    },
    PageStyle("table") {
      ($0.table, $0.rotation, $0.perspective) = ([0.22, 0.15, 0.1], 3, (0.05, 0.06))
      ($0.vignetting, $0.margin) = (0.2, 1.6)
    },
    PageStyle("hard shadow") {
      ($0.shadow, $0.lineCount) = (.edge(brightness: 0.55, softness: 0.01), 7)
      $0.varies = true
    },
    PageStyle("soft shadow") {
      ($0.shadow, $0.fall) = (.edge(brightness: 0.45, softness: 0.25), (0.35, 120))
      $0.slant = 2
    },
    PageStyle("pencil") {
      $0.hands = [Hand(ink: [0.52, 0.52, 0.54], weight: -0.3)]
      ($0.noise, $0.fall) = (0.015, (0.25, 300))
    },
    PageStyle("blackboard") {
      ($0.paper, $0.hands) = ([0.16, 0.22, 0.19], [Hand(ink: [0.88, 0.9, 0.86], weight: 0.3)])
      ($0.lineHeight, $0.lineCount, $0.slant) = (72, 5, -1.5)
      ($0.noise, $0.varies) = (0.02, true)
    },
    PageStyle("close lines") {
      ($0.gap, $0.lineCount, $0.lineHeight, $0.slantJitter) = (-0.12, 9, 48, 0.5)
    },
    PageStyle("bent") {
      ($0.bend, $0.lineCount, $0.rotation, $0.lineHeight) = (1.2, 7, -2, 50)
      $0.perspective = (-0.04, 0.03)
    },
    PageStyle("strong JPEG") { ($0.quality, $0.lineHeight, $0.lineCount) = (22, 40, 8) },
    PageStyle("night") {
      ($0.noise, $0.blur, $0.fall, $0.vignetting) = (0.05, 1.1, (0.5, 45), 0.35)
      ($0.lineHeight, $0.varies) = (64, true)
    },
    PageStyle("yellow pad on a table") {
      $0.paper = [0.96, 0.9, 0.62]
      $0.ruling = .lines([0.55, 0.68, 0.78], margin: [0.85, 0.5, 0.45])
      ($0.table, $0.rotation, $0.perspective) = ([0.35, 0.33, 0.31], -2.5, (-0.05, 0.04))
      ($0.gap, $0.lineCount, $0.lineHeight) = (0.2, 8, 46)
    },
    PageStyle("frame") {
      ($0.ruling, $0.lineHeight, $0.lineCount) = (.frame([0.2, 0.2, 0.2]), 80, 4)
      ($0.slant, $0.lineLength) = (1, 24)
    },
    PageStyle("everything") {
      ($0.ruling, $0.slant, $0.varies) = (.squares([0.66, 0.72, 0.8], side: 0.5), 1.5, true)
      $0.hands = [
        Hand(ink: [0.12, 0.12, 0.16], weight: 0.3),
        Hand(ink: [0.55, 0.15, 0.15], weight: -0.2, shear: 0.12),
      ]
      ($0.shadow, $0.table) = (.edge(brightness: 0.6, softness: 0.06), [0.18, 0.13, 0.1])
      ($0.perspective, $0.rotation, $0.bend) = ((0.04, 0.05), 2, 0.5)
      ($0.noise, $0.quality, $0.lineCount, $0.lineHeight) = (0.025, 45, 7, 58)
    },
  ]
}
