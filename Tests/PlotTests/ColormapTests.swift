import Plot
import Testing

struct ColormapTests {
  /// matplotlib 3.11: [round(255 * v) for v in colormaps[name](i)[:3]] for i of 0 to 255.
  @Test(
    arguments: [
      (
        .magma,
        [
          [0, 0, 4], [36, 18, 83], [137, 40, 129], [183, 55, 121], [253, 154, 106],
          [252, 253, 191],
        ]
      ),
      (
        .inferno,
        [
          [0, 0, 4], [41, 11, 85], [144, 37, 104], [188, 55, 84], [252, 159, 7], [252, 255, 164],
        ]
      ),
      (
        .plasma,
        [
          [13, 8, 135], [85, 2, 164], [174, 40, 146], [204, 71, 120], [251, 162, 56],
          [240, 249, 33],
        ]
      ),
      (
        .cividis,
        [
          [0, 34, 78], [35, 60, 110], [101, 104, 112], [125, 124, 120], [197, 181, 104],
          [254, 232, 56],
        ]
      ),
      (
        .coolwarm,
        [
          [59, 76, 192], [104, 138, 239], [190, 210, 246], [221, 220, 220], [240, 138, 108],
          [180, 4, 38],
        ]
      ),
      (
        .redBlue,
        [
          [103, 0, 31], [194, 56, 58], [252, 215, 194], [246, 247, 247], [76, 153, 198],
          [5, 48, 97],
        ]
      ),
    ] as [(Colormap, [[Int]])])
  func matchesMatplotlib(map: Colormap, colors: [[Int]]) {
    for (index, color) in zip([0, 37, 100, 128, 201, 255], colors) {
      let ours = map.color(of: Double(index) / 255)
      for (a, b) in zip([ours.red, ours.green, ours.blue], color) {
        #expect(abs(Int(a) - b) <= 3, "\(map), \(index)")
      }
    }
  }

  /// Perceptually uniform maps, seen without color, become lighter throughout.
  @Test(arguments: [Colormap.viridis, .magma, .inferno, .plasma, .cividis])
  func lightnessIncreases(map: Colormap) {
    let lightness = (0...64).map { index in
      let color = map.color(of: Double(index) / 64)
      return 0.2126 * Double(color.red) + 0.7152 * Double(color.green)
        + 0.0722 * Double(color.blue)
    }
    for (a, b) in zip(lightness, lightness.dropFirst()) { #expect(a < b) }
  }
}
