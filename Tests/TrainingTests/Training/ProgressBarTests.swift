import Lab
import Testing

struct ProgressBarTests {
  @Test func theLineShowsRateAndTimeLeft() {
    #expect(
      ProgressBar.line("Epoch 0", done: 50, total: 200, seconds: 10, loss: 0.6514)
        == "Epoch 0:  25%|██████                  | 50/200 [0:10<0:30, 5.0 it/s, loss=0.651]")
    #expect(
      ProgressBar.line("Testing", done: 0, total: 0, seconds: 0, loss: 0)
        == "Testing: 100%|████████████████████████| 0/0 [0:00<?, 0.0 it/s, loss=0.000]")
    #expect(
      ProgressBar.line("Epoch 1", done: 1, total: 8000, seconds: 1, loss: 1)
        .contains("[0:01<2:13:19, 1.0 it/s"))
  }

  @Test func aResumedEpochHasTheRateOfItsOwnSteps() {
    #expect(
      ProgressBar.line("Epoch 0", done: 150, total: 200, from: 100, seconds: 10, loss: 1)
        .hasSuffix("150/200 [0:10<0:10, 5.0 it/s, loss=1.000]"))
  }

  /// In a narrow terminal a longer line would begin a new one at each update.
  @Test(arguments: 1...100)
  func theLineFitsIntoTheTerminal(columns: Int) {
    let line = ProgressBar.line(
      "Epoch 12", done: 1067, total: 2541, seconds: 12, loss: 0.651, columns: columns)
    #expect(line.count < columns)
    if columns >= 80 {
      #expect(line.contains("█") && line.hasSuffix("loss=0.651]"))
    }
  }
}
