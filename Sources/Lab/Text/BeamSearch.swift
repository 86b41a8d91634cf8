import Foundation
import Kernels
import LabData
import Synchronization

/// Reads lines from the outputs of a network with CTC loss: finds the most probable texts, with or
/// without a language model.
///
/// ```swift
/// var search = BeamSearch(mapping: data.mapping, specialTokens: data.specialTokens)
/// search.languageModel = try data.languageModel().model
/// let best = search.read(LogProbabilities.lines(of: logits)).map(\.first)
/// data.string(of: best[0]?.labels ?? [])  // "phase of"
/// ```
///
/// A text's score is `log P(text | image) + languageWeight · log P(text) + lengthBonus · characters`.
/// P(text | image) is the sum over all paths of classes that collapse to the text. Step by step the
/// search keeps the ``beamWidth`` best beginnings of texts; with a beam that is wide enough for all of
/// them and ``threshold`` −∞, scores are exact.
///
/// Source: A. Hannun and others, "First-Pass Large Vocabulary Continuous Speech Recognition using
/// Bi-Directional Recurrent DNNs" (2014), algorithm 1.
public struct BeamSearch: Sendable {
  /// A text that a line may have.
  public struct Hypothesis: Equatable, Sendable {
    /// The labels of the text's characters.
    public let labels: [Int]
    /// The sum on which texts are compared.
    public let score: Double
    /// The logarithm of P(text | image), of the paths that the search kept.
    public let logProbability: Double
    /// The logarithm of P(text) with the space after it; 0 without a language model.
    public let languageLogProbability: Double
  }

  /// The number of beginnings of texts that are kept, at least 1.
  public var beamWidth = 25
  /// Rates texts; nil for none.
  public var languageModel: CharacterModel?
  /// The weight of the language model, at least 0; with 0 it is not used.
  public var languageWeight = 0.5
  /// What each character adds to the score: a language model prefers short texts.
  public var lengthBonus = 0.0
  /// Classes whose log-probability at a step is below this are not tried there, except blank and the
  /// repetition of a label; by default log 0.001. A lower one is slower and hardly better.
  public var threshold = Float(log(1e-3))

  private let blank: Int
  /// Whether a class may be in a text.
  private let isCharacter: [Bool]
  /// The ASCII code of each class for the language model; 0 for none.
  private let codes: [UInt8]

  /// A search without a language model.
  ///
  /// - Parameters:
  ///   - mapping: The text of each class.
  ///   - specialTokens: The texts of classes that are no characters and are in no hypothesis.
  ///   - blank: The class that stands for no label.
  public init(mapping: [String], specialTokens: [String] = [], blank: Int = 0) {
    self.blank = blank
    isCharacter = mapping.enumerated().map { $0 != blank && !specialTokens.contains($1) }
    codes = mapping.map { text in
      text.utf8.count == 1 ? text.utf8.first ?? 0 : 0
    }
  }

  /// Reads some lines, on several threads.
  ///
  /// - Parameters:
  ///   - lines: The log-probabilities of each line.
  ///   - count: The largest number of hypotheses of a line.
  /// - Returns: The hypotheses of each line, the best one first. Of equal scores, the labels that come
  ///   first in order are first.
  /// - Throws: ``DataError`` if the number of classes is not that of the mapping.
  public func read(_ lines: [LogProbabilities], best count: Int = 1) throws -> [[Hypothesis]] {
    for line in lines where line.classes != codes.count {
      throw DataError(
        .unusable,
        "BeamSearch: expected log-probabilities of \(codes.count) classes, as in the mapping, got "
          + "\(line.classes)")
    }
    let results = Mutex([[Hypothesis]](repeating: [], count: lines.count))
    parallel(count: lines.count) { index in
      let hypotheses = search(lines[index], count)
      results.withLock { $0[index] = hypotheses }
    }
    return results.withLock { $0 }
  }

  /// The language model, if it has a weight.
  private var weighedModel: CharacterModel? { languageWeight > 0 ? languageModel : nil }

  private func search(_ line: LogProbabilities, _ count: Int) -> [Hypothesis] {
    let (model, width) = (weighedModel, max(1, beamWidth))
    var tree = PrefixTree(model)
    var beam = [BeamEntry(prefix: 0, blank: 0, label: -.infinity, prior: 0)]
    var entries = beam
    for step in 0..<line.steps {
      // Each prefix stays as it is after a blank or a repetition of its last label. Its parent followed
      // by that label gives the same prefix.
      for (index, entry) in beam.enumerated() { tree[entry.prefix].entry = index }
      let blankLog = line.log(step, blank)
      entries = beam.map { entry in
        let node = tree[entry.prefix]
        var label = -Double.infinity
        if node.label >= 0 {
          let log = line.log(step, node.label)
          label = entry.label + log
          let parent = tree[node.parent]
          if parent.entry >= 0, line[step, node.label] >= threshold {
            label = logSum(label, beam[parent.entry].total(before: node.label, after: parent) + log)
          }
        }
        return BeamEntry(
          prefix: entry.prefix, blank: entry.total + blankLog, label: label, prior: prior(node))
      }
      // Once the beam is full with these, a new prefix with a lower score than all of them cannot enter.
      let least =
        entries.count < width ? -.infinity : entries.reduce(.infinity) { min($0, $1.score) }

      let candidates = isCharacter.indices.filter { isCharacter[$0] && line[step, $0] >= threshold }
        .map { (label: $0, log: line.log(step, $0)) }.sorted { $0.log > $1.log }
      for entry in beam {
        let node = tree[entry.prefix]
        let most = entry.total + prior(node) + max(0, lengthBonus)
        for (label, log) in candidates {
          // A language model only lowers the score.
          if most + log < least { break }
          guard let prefix = tree.child(of: entry.prefix, label, codes[label], model),
            tree[prefix].entry < 0
          else { continue }
          let new = BeamEntry(
            prefix: prefix, blank: -.infinity,
            label: entry.total(before: label, after: node) + log, prior: prior(tree[prefix]))
          if new.score >= least { entries.append(new) }
        }
      }
      for entry in beam { tree[entry.prefix].entry = -1 }
      beam = entries.best(width)
    }
    return beam.map { entry in
      var node = tree[entry.prefix]
      if let model, let state = node.state {
        node.languageLog += Double(
          model.next(CharacterModel.space, after: state).logProbability)
      }
      return Hypothesis(
        labels: tree.path(to: entry.prefix), score: entry.total + prior(node),
        logProbability: entry.total, languageLogProbability: node.languageLog)
    }
    .sorted {
      $0.score != $1.score
        ? $0.score > $1.score : $0.labels.lexicographicallyPrecedes($1.labels)
    }
    .prefix(max(0, count)).map(\.self)
  }

  /// The part of a prefix's score that does not come from the image.
  private func prior(_ node: PrefixTree.Node) -> Double {
    languageWeight * node.languageLog + lengthBonus * Double(node.length)
  }
}

extension LogProbabilities {
  /// A logarithm for sums; what is not a number counts as impossible.
  fileprivate func log(_ step: Int, _ label: Int) -> Double {
    let value = Double(self[step, label])
    return value.isNaN ? -.infinity : value
  }
}

/// The logarithms of the probabilities of a prefix's paths so far: those that end with a blank, and
/// those that end with its last label.
private struct BeamEntry {
  let prefix: Int
  let blank: Double
  let label: Double
  let total: Double
  let score: Double

  /// - Parameter prior: The part of the score that does not come from the image.
  init(prefix: Int, blank: Double, label: Double, prior: Double) {
    (self.prefix, self.blank, self.label) = (prefix, blank, label)
    total = logSum(blank, label)
    score = total + prior
  }

  /// The paths that can go on with a label: a label is read twice only if there is a blank between.
  func total(before label: Int, after node: PrefixTree.Node) -> Double {
    label == node.label ? blank : total
  }
}

/// `log(exp(a) + exp(b))`.
private func logSum(_ a: Double, _ b: Double) -> Double {
  let (large, small) = a > b ? (a, b) : (b, a)
  return small == -.infinity ? large : large + log1p(exp(small - large))
}

extension [BeamEntry] {
  /// The entries with the highest scores; of equal ones, those that were found first.
  fileprivate func best(_ count: Int) -> [BeamEntry] {
    guard self.count > count else { return self }
    let order = indices.sorted {
      self[$0].score != self[$1].score ? self[$0].score > self[$1].score : $0 < $1
    }
    return order.prefix(count).map { self[$0] }
  }
}

/// All beginnings of texts that the search has created, as a tree. Number 0 is the empty one.
private struct PrefixTree {
  struct Node {
    /// The last label; -1 of the empty prefix.
    let label: Int
    let length: Int
    let parent: Int
    /// The language model's state after the prefix, and the prefix's log-probability.
    var state: CharacterModel.State?
    var languageLog = 0.0
    /// The index of its entry in the beam; -1 for none.
    var entry = -1
    fileprivate var firstChild = -1
    fileprivate var nextSibling = -1
  }

  private var nodes: [Node]

  init(_ model: CharacterModel?) {
    nodes = [Node(label: -1, length: 0, parent: 0, state: model?.lineStart)]
  }

  subscript(prefix: Int) -> Node {
    get { nodes[prefix] }
    _modify { yield &nodes[prefix] }
  }

  /// The prefix with one more label; nil if the language model rules it out.
  mutating func child(
    of parent: Int, _ label: Int, _ code: UInt8, _ model: CharacterModel?
  ) -> Int? {
    var child = nodes[parent].firstChild
    while child >= 0 {
      if nodes[child].label == label { return child }
      child = nodes[child].nextSibling
    }
    var node = Node(label: label, length: nodes[parent].length + 1, parent: parent)
    if let model, let state = nodes[parent].state {
      let (logProbability, next) = model.next(code, after: state)
      guard logProbability > -.infinity else { return nil }
      node.languageLog = nodes[parent].languageLog + Double(logProbability)
      node.state = next
    }
    node.nextSibling = nodes[parent].firstChild
    nodes[parent].firstChild = nodes.count
    nodes.append(node)
    return nodes.count - 1
  }

  /// The labels of a prefix.
  func path(to prefix: Int) -> [Int] {
    var (path, prefix) = ([Int](), prefix)
    while prefix > 0 {
      path.append(nodes[prefix].label)
      prefix = nodes[prefix].parent
    }
    return path.reversed()
  }
}
