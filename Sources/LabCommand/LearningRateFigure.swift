import Foundation
import Lab
import Plot

/// Draws the curve of a range test into a run's folder, with the rate that it suggests.
func draw(_ test: LearningRateTest, in folder: URL) throws {
  var figure = Figure(size: (6, 4))
  figure[0].plot(test.rates, test.losses)
  figure[0].xscale = .log
  figure[0].xlabel = "learning rate"
  figure[0].ylabel = "loss, smoothed"
  if let rate = test.suggestion {
    figure[0].axvline(rate, color: .red, linestyle: .dashed)
    figure[0].title = String(format: "The loss falls fastest at %.3g", rate)
  }
  let file = folder.appending(path: TrainingRun.learningRatesName)
  try figure.save(to: file.path(percentEncoded: false))
}
