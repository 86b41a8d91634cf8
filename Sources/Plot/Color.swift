/// A colour in sRGB, eight bits a channel.
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
  /// For bars and lines; the first of matplotlib's colours.
  public static let blue = Color(red: 31, green: 119, blue: 180)
  /// For what is wrong.
  public static let red = Color(red: 255, green: 0, blue: 0)
  /// For what is right; dark enough to be read on white.
  public static let green = Color(red: 0, green: 128, blue: 0)
}
