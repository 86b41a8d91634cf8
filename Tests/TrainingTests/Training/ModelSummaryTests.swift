import Lab
import TestSupport
import Testing

struct ModelSummaryTests {
  @Test func isTheTableOfTheCourse() {
    let text = modelSummary(CNN(.emnist))
    #expect(
      text == """
          | Name      | Type     | Params
        ---------------------------------------
        0 | model     | CNN      | 1.7 M
        1 | train_acc | Accuracy | 0
        2 | val_acc   | Accuracy | 0
        3 | test_acc  | Accuracy | 0
        ---------------------------------------
        1.7 M     Trainable params
        0         Non-trainable params
        1.7 M     Total params
        6.616     Total estimated model params size (MB)
        """)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1.0 K"), (936_330, "936 K"), (1_654_035, "1.7 M"),
    (12_000_000_000, "12.0 B"),
  ])
  func countsAreReadable(count: Int, text: String) {
    #expect(readableCount(count) == text)
  }
}
