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
}
