import Foundation

/// `metrics.csv`: what training brought, a row for each logged step and epoch.
///
/// ```text
/// epoch,step,lr,train_loss_step,train_loss,train_acc,val_loss,val_acc,test_loss,test_acc
/// 0,1,0.001,2.3102,,,,,,
/// 0,430,,,0.1498,0.9544,0.0542,0.9848,,
/// ```
///
/// Steps are counted over all epochs, from 1. Numbers have all their digits, and what a row does not
/// tell is empty.
final class MetricsFile {
  let log: LogFile

  init(in folder: URL) throws {
    log = try LogFile(Self.url(in: folder))
  }

  static func url(in folder: URL) -> URL { folder.appending(path: "metrics.csv") }

  /// The first line: the titles of the columns.
  static let titles = (["epoch", "step"] + Scalar.allCases.map(\.rawValue)).joined(separator: ",")

  /// Writes the titles.
  func begin() throws {
    try log.append(Data((Self.titles + "\n").utf8))
  }

  /// Whether there is no row.
  var isEmpty: Bool { log.size <= UInt64(Self.titles.utf8.count + 1) }

  /// Writes a row.
  func write(_ scalars: [Scalar: Double], epoch: Int, step: Int) throws {
    let numbers = Scalar.allCases.map { scalars[$0].map { "\($0)" } ?? "" }
    let row = ["\(epoch)", "\(step)"] + numbers
    try log.append(Data((row.joined(separator: ",") + "\n").utf8))
  }
}
