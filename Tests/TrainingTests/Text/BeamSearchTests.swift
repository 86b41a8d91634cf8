import Foundation
import Kernels
import Lab
import TestSupport
import Testing

struct BeamSearchTests {
  /// Logarithms of probabilities that add up to 1 at each step.
  private func line(steps: Int, classes: Int, seed: UInt64) throws -> LogProbabilities {
    let logits = Tensor(
      Generator(seed: seed).normal(count: steps * classes, std: 1.5), shape: [1, classes, steps])
    return try LogProbabilities.lines(of: logits)[0]
  }

  /// A search that leaves nothing out.
  private func wholeSearch(_ mapping: [String], _ special: [String] = []) -> BeamSearch {
    var search = BeamSearch(mapping: mapping, specialTokens: special)
    search.beamWidth = .max
    search.threshold = -.infinity
    return search
  }

  /// The probabilities of all texts: each path's is added to that of the text it stands for.
  private func texts(_ line: LogProbabilities) -> [[Int]: Double] {
    var texts: [[Int]: Double] = [:]
    var path = [Int](repeating: 0, count: line.steps)
    func add(_ step: Int, _ log: Double) {
      guard step < line.steps else {
        texts[greedyDecode(path), default: 0] += exp(log)
        return
      }
      for label in 0..<line.classes {
        path[step] = label
        add(step + 1, log + Double(line[step, label]))
      }
    }
    add(0, 0)
    return texts
  }

  @Test(arguments: [(1, 4), (2, 3), (3, 3), (4, 4), (6, 3), (7, 2), (5, 1)])
  func equalsTheSumOverAllPaths(steps: Int, classes: Int) throws {
    let line = try line(steps: steps, classes: classes, seed: 7)
    let expected = texts(line)
    let mapping = ["<B>", "a", "b", "c"].prefix(classes)
    let found = try wholeSearch(Array(mapping)).read([line], best: .max)[0]
    // Texts that no path stands for are not hypotheses, unless they were tried.
    #expect(found.filter { $0.logProbability > -.infinity }.count == expected.count)
    for hypothesis in found where hypothesis.logProbability > -.infinity {
      let probability = try #require(expected[hypothesis.labels])
      #expect(abs(hypothesis.logProbability - log(probability)) < 1e-9)
      #expect(hypothesis.score == hypothesis.logProbability)
      #expect(hypothesis.languageLogProbability == 0)
    }
    #expect(found.first?.labels == expected.max { $0.value < $1.value }?.key)
    #expect(zip(found, found.dropFirst()).allSatisfy { $0.score >= $1.score })
  }

  @Test func equalsRescoringOfAllTexts() throws {
    let model = try CharacterModel("a bab abba ab b a baab ab ab bab", order: 3)
    let line = try line(steps: 6, classes: 4, seed: 8)
    var search = wholeSearch(["<B>", "a", "b", " "])
    (search.languageModel, search.languageWeight, search.lengthBonus) = (model, 0.7, 0.3)
    let found = try search.read([line], best: .max)[0].filter { $0.score > -.infinity }
    let expected = texts(line).map { labels, probability in
      let text = labels.map { [0, 97, 98, 32][$0] as UInt8 }
      let language = model.logProbability(ofLine: text)
      return (labels, log(probability) + 0.7 * language + 0.3 * Double(labels.count), language)
    }
    .sorted { $0.1 > $1.1 }
    #expect(found.count == expected.count)
    for (found, expected) in zip(found, expected) {
      #expect(found.labels == expected.0)
      #expect(abs(found.score - expected.1) < 1e-9)
      #expect(abs(found.languageLogProbability - expected.2) < 1e-9)
    }
    // Without a weight the model is not asked.
    search.languageWeight = 0
    search.lengthBonus = 0
    #expect(try search.read([line]) == wholeSearch(["<B>", "a", "b", " "]).read([line]))
  }

  @Test func theDefaultFindsTheBestOfManyTexts() throws {
    let mapping = ["<B>"] + "abcdefghijklmnopqrstuvwxyz ".map { String($0) }
    var narrow = BeamSearch(mapping: mapping)
    var wide = wholeSearch(mapping)
    wide.beamWidth = 400
    narrow.languageModel = try CharacterModel("the cat sat on the mat", order: 3)
    wide.languageModel = narrow.languageModel
    var same = 0
    for seed in 0..<10 {
      let line = try line(steps: 12, classes: 28, seed: UInt64(seed))
      let found = try [narrow, wide].map { try $0.read([line])[0][0] }
      #expect(found[0].score <= found[1].score + 1e-9)
      if found[0].labels == found[1].labels { same += 1 }
    }
    #expect(same > 4)
  }

  @Test func theLanguageModelDecidesBetweenEqualCharacters() throws {
    let mapping = ["<B>", "<P>", "l", "1", "a", "s", "t", "9", " "]
    let model = try CharacterModel("a salt alas last tall 19 1 91 119 atlas ", order: 4)
    func line(_ columns: [[Int]]) throws -> LogProbabilities {
      var values: [Float] = []
      for column in columns {
        values += mapping.indices.map {
          log(column.contains($0) ? 0.9 / Float(column.count) : 0.01)
        }
        values += mapping.indices.map { log($0 == 0 ? 0.9 : 0.01) }
      }
      return try LogProbabilities(values, classes: mapping.count)
    }
    let lines = try [
      line([[2, 3], [4], [5], [6]]), line([[2, 3], [2, 3], [7]]),
      line([[6], [4], [2, 3], [2, 3]]),
    ]
    func read(_ search: BeamSearch) throws -> [String] {
      try search.read(lines).map { $0[0].labels.map { mapping[$0] }.joined() }
    }
    var search = BeamSearch(mapping: mapping, specialTokens: ["<B>", "<P>"])
    search.languageModel = model
    #expect(try read(search) == ["last", "119", "tall"])
    search.languageModel = nil
    // Different characters need no blank between, so they have more paths. Of equal scores, the labels
    // that come first are first.
    #expect(try read(search) == ["last", "l19", "tal1"])

    let labels = [[2, 4, 5, 6], [3, 3, 7], [6, 4, 2, 2]]
    search.languageModel = model
    let (best, trials) = try search.choosingWeights(
      on: lines, labels: labels, languageWeights: [0, 0.5, 1], lengthBonuses: [0, 0.5])
    #expect(trials.map(\.languageWeight) == [0, 0, 0.5, 0.5, 1, 1])
    #expect(trials.map(\.lengthBonus) == [0, 0.5, 0, 0.5, 0, 0.5])
    #expect(trials.map(\.characterErrorRate) == [2 / 11, 2 / 11, 0, 0, 0, 0])
    #expect((best.languageWeight, best.lengthBonus) == (0.5, 0))
    #expect(try read(best) == ["last", "119", "tall"])
    #expect(characterErrorRate([[1, 2], [3]], [[1, 2, 3], [3]]) == 0.25)
    expectDataError("choosingWeights: expected the labels of 3 lines, got 2") {
      _ = try search.choosingWeights(on: lines, labels: [[], []])
    }
  }

  @Test func equalScoresHaveOneOrder() throws {
    let line = try LogProbabilities(
      [Float](repeating: log(0.25), count: 12), classes: 4)
    var search = wholeSearch(["<B>", "a", "b", "c"])
    let all = try search.read([line], best: .max)[0]
    #expect(all.prefix(4).map(\.labels) == [[1], [2], [3], [1, 2]])
    search.beamWidth = 5
    let first = try search.read([line], best: .max)[0]
    #expect(first.count == 5)
    for _ in 0..<3 { #expect(try search.read([line], best: .max)[0] == first) }
  }

  @Test func specialTokensAreNotRead() throws {
    let line = try line(steps: 5, classes: 5, seed: 9)
    let mapping = ["<B>", "<S>", "x", "<P>", "y"]
    let found = try wholeSearch(mapping, ["<B>", "<S>", "<P>"]).read([line], best: .max)[0]
    #expect(found.allSatisfy { $0.labels.allSatisfy { [2, 4].contains($0) } })
    #expect(try wholeSearch(mapping).read([line], best: .max)[0].contains { $0.labels.contains(1) })
    // Another class may be the blank.
    var search = BeamSearch(mapping: ["x", "y", "-"], blank: 2)
    search.threshold = -.infinity
    let other = try LogProbabilities([0.1, 0.8, 0.1, 0.2, 0.1, 0.7].map { log($0) }, classes: 3)
    #expect(try search.read([other])[0][0].labels == [1])
  }

  @Test func unlikelyClassesAreNotTried() throws {
    let line = try LogProbabilities([-0.01, -9.3, -5, -0.02, -9.3, -4.5], classes: 3)
    var search = BeamSearch(mapping: ["<B>", "a", "b"])
    search.beamWidth = .max
    func labels() throws -> Set<Int> {
      Set(try search.read([line], best: .max)[0].flatMap(\.labels))
    }
    #expect(try labels() == [2])
    search.threshold = -10
    #expect(try labels() == [1, 2])
  }

  @Test func doesNotDependOnTheNumberOfThreads() throws {
    let lines = try (0..<9).map { try line(steps: 20, classes: 6, seed: UInt64($0)) }
    var search = BeamSearch(mapping: ["<B>", "a", "b", "c", "d", " "])
    search.languageModel = try CharacterModel("a bad cab dab ", order: 4)
    let together = try search.read(lines, best: 3)
    #expect(together.allSatisfy { $0.count == 3 })
    for (line, expected) in zip(lines, together) {
      #expect(try search.read([line], best: 3) == [expected])
    }
  }

  @Test func bordersAndBadNumbers() throws {
    let search = BeamSearch(mapping: ["<B>", "a"])
    #expect(try search.read([]) == [])
    let empty = try search.read([LogProbabilities([], classes: 2)])[0]
    #expect(empty.map(\.labels) == [[]] && empty[0].score == 0)
    for value in [Float.nan, -.infinity, .infinity] {
      let line = try LogProbabilities([Float](repeating: value, count: 8), classes: 2)
      #expect(try search.read([line], best: 2)[0].count > 0)
    }
    #expect(try search.read([LogProbabilities([0, 0], classes: 2)], best: 0) == [[]])
    expectDataError(
      "BeamSearch: expected log-probabilities of 2 classes, as in the mapping, got 3"
    ) { _ = try search.read([LogProbabilities([0, 0, 0], classes: 3)]) }
  }

  // MARK: Where labels are

  @Test func locatesOnPaper() throws {
    let probabilities: [[Float]] = [
      [0.8, 0.1, 0.1], [0.1, 0.6, 0.3], [0.05, 0.9, 0.05], [0.5, 0.2, 0.3], [0.6, 0.2, 0.2],
      [0.25, 0.5, 0.25],
    ]
    let line = try LogProbabilities(probabilities.flatMap { $0.map { log($0) } }, classes: 3)
    let places = try #require(locate([1, 2, 1], in: line))
    #expect(places.map(\.label) == [1, 2, 1])
    #expect(places.map(\.steps) == [1..<3, 3..<4, 5..<6])
    for (place, confidence) in zip(places, [0.9, 0.3, 0.5] as [Float]) {
      #expect(abs(place.confidence - confidence) < 1e-6)
    }
    #expect(locate([], in: line) == [])
    // Two equal labels need a blank between.
    #expect(locate([1, 1, 1, 1], in: line) == nil)
    #expect(locate([3], in: line) == nil && locate([0], in: line) == nil)
    let none = try LogProbabilities([], classes: 3)
    #expect(locate([], in: none) == [] && locate([1], in: none) == nil)
  }

  @Test(arguments: 0..<12)
  func locatesOnTheBestPath(seed: Int) throws {
    let line = try line(steps: 5, classes: 3, seed: UInt64(seed))
    var best: [[Int]: (log: Double, path: [Int])] = [:]
    for number in 0..<243 {
      let path = (0..<5).map { number / [1, 3, 9, 27, 81][$0] % 3 }
      let log = path.enumerated().reduce(0) { $0 + Double(line[$1.offset, $1.element]) }
      if log > best[greedyDecode(path)]?.log ?? -.infinity {
        best[greedyDecode(path)] = (log, path)
      }
    }
    for (labels, expected) in best {
      let places = try #require(locate(labels, in: line))
      #expect(places.map(\.label) == labels)
      var path = [Int](repeating: 0, count: 5)
      for place in places { for step in place.steps { path[step] = place.label } }
      #expect(path == expected.path)
    }
  }
}
