import Plot
import Testing

struct ColorTests {
  /// matplotlib 3.11: [round(255 * v) for v in colormaps[name](i)[:3]] for i of 0 to 255.
  @Test(
    arguments: [
      (.viridis, 0, [68, 1, 84]), (.viridis, 37, [70, 51, 127]), (.viridis, 100, [42, 118, 142]),
      (.viridis, 128, [33, 145, 140]), (.viridis, 201, [115, 208, 86]),
      (.viridis, 255, [253, 231, 37]),
      (.blues, 0, [247, 251, 255]), (.blues, 37, [218, 232, 246]), (.blues, 100, [151, 198, 223]),
      (.blues, 201, [25, 103, 173]), (.blues, 255, [8, 48, 107]),
      (.gray, 0, [0, 0, 0]), (.gray, 100, [100, 100, 100]), (.gray, 255, [255, 255, 255]),
    ] as [(Colormap, Int, [Int])])
  func matchesMatplotlib(map: Colormap, index: Int, color: [Int]) {
    let ours = map.color(of: Double(index) / 255)
    for (a, b) in zip([ours.red, ours.green, ours.blue], color) { #expect(abs(Int(a) - b) <= 6) }
  }

  @Test func valuesAreClamped() {
    #expect(Colormap.gray.color(of: -3) == .black)
    #expect(Colormap.gray.color(of: 7) == .white)
  }
}
