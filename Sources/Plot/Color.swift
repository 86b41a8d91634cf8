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
