/// Colours for numbers, as matplotlib's `cmap`.
public enum Colormap: Sendable {
  /// From dark violet over green to yellow: evenly brighter, also for who sees few colours.
  case viridis
  /// From white to dark blue: for counts and shares, where 0 is nothing.
  case blues
  /// From black to white.
  case gray

  /// The colour of a number from 0 to 1; what is outside has the colour of the nearer end.
  package func color(of value: Double) -> Color {
    let place = min(max(value, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let share = place - Double(index)
    func mixed(_ shift: UInt32) -> UInt8 {
      let ends = [stops[index], stops[index + 1]].map { Double($0 >> shift & 255) }
      return UInt8((ends[0] + (ends[1] - ends[0]) * share).rounded())
    }
    return Color(red: mixed(16), green: mixed(8), blue: mixed(0))
  }

  /// Matplotlib's colours at equal distances; between them the eye sees no difference.
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
