/// A colormap, as matplotlib's `cmap`.
///
/// The perceptually uniform ones change in lightness at an even rate, so that equal differences of values
/// look equal, also to colorblind readers and in grayscale. Diverging ones are for values with a middle,
/// such as correlations: pass a range around it, `range: -1...1`.
public enum Colormap: Sendable, CaseIterable {
  /// From dark violet over green to yellow: perceptually uniform, also for colorblind readers.
  case viridis
  /// From white to dark blue: for counts and fractions that start at 0.
  case blues
  /// From black to white.
  case gray
  /// From black over purple to pale yellow: perceptually uniform.
  case magma
  /// From black over red to yellow: perceptually uniform.
  case inferno
  /// From dark blue over magenta to yellow: perceptually uniform, without very dark colors.
  case plasma
  /// From dark blue over gray to yellow: perceptually uniform, and nearly the same to colorblind readers.
  case cividis
  /// From blue over light gray to red: diverging.
  case coolwarm
  /// From red over white to blue: diverging, matplotlib's `RdBu`.
  case redBlue

  /// The color of a value from 0 to 1; values outside are clamped, NaN is 0.
  package func color(of value: Double) -> Color {
    let stops = stops
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
  ///
  /// The largest difference to its table of 256 colors is, in steps of a channel from 0 to 255: 6 for
  /// `viridis`, 3 for `plasma`, 2 for `magma`, `inferno` and `cividis`, 1 for `coolwarm`. The others are
  /// piecewise linear by definition.
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
    case .magma:
      [
        0x000004, 0x030311, 0x0A0822, 0x130D33, 0x1D1146, 0x28115A, 0x36106A, 0x430F76, 0x50127C,
        0x5D177F, 0x691C81, 0x762181, 0x822681, 0x8F2A81, 0x9C2E7F, 0xA9327D, 0xB63779, 0xC33B75,
        0xCF4170, 0xDB486A, 0xE65163, 0xEE5C5E, 0xF5695C, 0xF9785D, 0xFB8761, 0xFD9668, 0xFEA571,
        0xFEB47B, 0xFEC387, 0xFED194, 0xFDE0A2, 0xFCEEB0, 0xFCFDBF,
      ]
    case .inferno:
      [
        0x000004, 0x040312, 0x0B0724, 0x150B37, 0x210C4A, 0x2E0A5A, 0x3C0965, 0x4A0C6B, 0x57106D,
        0x63146E, 0x70196E, 0x7D1E6D, 0x89226A, 0x962766, 0xA32B61, 0xAF315C, 0xBB3755, 0xC63E4D,
        0xD14644, 0xDB4F3B, 0xE35932, 0xEB6528, 0xF1711E, 0xF67F14, 0xF98D0A, 0xFB9C06, 0xFCAB0F,
        0xFBBA1F, 0xF9CA32, 0xF5D949, 0xF2E865, 0xF3F586, 0xFCFFA4,
      ]
    case .plasma:
      [
        0x0D0887, 0x220690, 0x310596, 0x3F049C, 0x4C02A1, 0x5901A5, 0x6600A7, 0x7201A8, 0x7E03A8,
        0x8909A6, 0x9511A2, 0x9F1A9C, 0xA92396, 0xB22C8E, 0xBB3587, 0xC33E80, 0xCB4778, 0xD25071,
        0xD9596A, 0xE06263, 0xE66C5C, 0xEB7555, 0xF07F4F, 0xF48A48, 0xF89441, 0xFB9F3A, 0xFDAB33,
        0xFEB72D, 0xFDC328, 0xFCD025, 0xF9DD25, 0xF5EB27, 0xF0F921,
      ]
    case .cividis:
      [
        0x00224E, 0x002554, 0x00285B, 0x002B62, 0x002E6A, 0x003070, 0x043371, 0x113570, 0x1A386F,
        0x213B6E, 0x273E6E, 0x2D416D, 0x32436D, 0x36466C, 0x3B496C, 0x3F4C6C, 0x434E6C, 0x47516C,
        0x4B546C, 0x4F576C, 0x52596D, 0x565C6D, 0x5A5F6E, 0x5D626E, 0x61656F, 0x646770, 0x686A71,
        0x6B6D72, 0x6F7073, 0x727374, 0x757676, 0x797877, 0x7C7B78, 0x807E78, 0x848179, 0x878478,
        0x8B8778, 0x8F8A78, 0x938D78, 0x979077, 0x9B9376, 0x9F9676, 0xA39A75, 0xA79D74, 0xABA072,
        0xAFA371, 0xB3A670, 0xB7AA6E, 0xBBAD6C, 0xBFB06B, 0xC3B469, 0xC8B766, 0xCCBA64, 0xD0BE61,
        0xD4C15F, 0xD9C55C, 0xDDC958, 0xE1CC55, 0xE6D051, 0xEAD44C, 0xEFD748, 0xF4DB42, 0xF8DF3C,
        0xFDE334, 0xFEE838,
      ]
    case .coolwarm:
      [
        0x3B4CC0, 0x445ACC, 0x4D68D7, 0x5775E1, 0x6282EA, 0x6C8EF1, 0x779AF7, 0x82A5FB, 0x8DB0FE,
        0x98B9FF, 0xA3C2FE, 0xAEC9FC, 0xB8D0F9, 0xC2D5F4, 0xCCD9EE, 0xD5DBE6, 0xDDDDDD, 0xE5D8D1,
        0xECD3C5, 0xF1CCB9, 0xF4C4AD, 0xF7BBA0, 0xF7B194, 0xF7A687, 0xF49A7B, 0xF18D6F, 0xEC7F63,
        0xE57058, 0xDE604D, 0xD55042, 0xCB3E38, 0xC0282F, 0xB40426,
      ]
    case .redBlue:
      [
        0x67001F, 0xB2182B, 0xD6604D, 0xF4A582, 0xFDDBC7, 0xF7F7F7, 0xD1E5F0, 0x92C5DE, 0x4393C3,
        0x2166AC, 0x053061,
      ]
    }
  }
}
