import Plot
import Testing

struct BitmapTests {
  @Test func becomesGrayOnlyWhenEveryPixelIs() {
    let gray = Bitmap(width: 2, height: 1, channels: 3, bytes: [7, 7, 7, 200, 200, 200])
    #expect(gray.grayIfPossible == Bitmap(width: 2, height: 1, channels: 1, bytes: [7, 200]))
    let colored = Bitmap(width: 2, height: 1, channels: 3, bytes: [7, 7, 7, 200, 200, 201])
    #expect(colored.grayIfPossible == colored)
  }
}
