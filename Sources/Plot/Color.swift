/// An sRGB color with eight bits per channel.
public struct Color: Sendable, Equatable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  public static let black = Color(red: 0, green: 0, blue: 0)
  public static let white = Color(red: 255, green: 255, blue: 255)
  public static let gray = Color(red: 127, green: 127, blue: 127)
  /// For bars and lines: matplotlib's `C0`.
  public static let blue = Color(red: 31, green: 119, blue: 180)
  /// For bars and lines: matplotlib's `C1`.
  public static let orange = Color(red: 255, green: 127, blue: 14)
  /// For wrong results.
  public static let red = Color(red: 255, green: 0, blue: 0)
  /// For right results; dark enough to be readable on white.
  public static let green = Color(red: 0, green: 128, blue: 0)

  /// The ten colors that lines and bars use in turn: matplotlib's `C0` to `C9`.
  public static let cycle = [
    .blue, .orange,
    Color(red: 44, green: 160, blue: 44), Color(red: 214, green: 39, blue: 40),
    Color(red: 148, green: 103, blue: 189), Color(red: 140, green: 86, blue: 75),
    Color(red: 227, green: 119, blue: 194), .gray,
    Color(red: 188, green: 189, blue: 34), Color(red: 23, green: 190, blue: 207),
  ]

  /// Black or white, whichever is easier to read on this color.
  var contrast: Color {
    let luma = 0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)
    return luma < 128 ? .white : .black
  }
}

/// A colormap, as matplotlib's `cmap`.
public enum Colormap: Sendable {
  /// From dark violet over green to yellow: perceptually uniform, also for colorblind readers.
  case viridis
  /// From white to dark blue: for counts and fractions that start at 0.
  case blues
  /// From black to white.
  case gray

  /// The color of a value from 0 to 1; values outside are clamped, NaN is 0.
  package func color(of value: Double) -> Color {
    let position = min(max(value.isNaN ? 0 : value, 0), 1) * Double(stops.count - 1)
    let index = min(Int(clamping: position), stops.count - 2)
    let share = position - Double(index)
    func mixed(_ shift: UInt32) -> UInt8 {
      let ends = [stops[index], stops[index + 1]].map { Double($0 >> shift & 255) }
      return UInt8((ends[0] + (ends[1] - ends[0]) * share).rounded())
    }
    return Color(red: mixed(16), green: mixed(8), blue: mixed(0))
  }

  /// Matplotlib's colors at equal distances; linear interpolation between them is not visible.
  private var stops: [UInt32] {
    switch self {
    case .viridis:
      [
        0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D, 0x2C728E, 0x26818E, 0x21908C,
        0x1F9F88, 0x28AE80, 0x3EBC74, 0x5DC963, 0x82D34C, 0xABDC32, 0xD5E21A, 0xFDE725,
      ]
    case .blues:
      [
        0xF7FBFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B,
      ]
    case .gray: [0x000000, 0xFFFFFF]
    }
  }
}
