/// The words of the interface: everything that pages and the runner say themselves, in all languages.
///
/// A new word is a case with its texts below; the compiler asks for all of them. `{1}`, `{2}`, … are
/// places for values.
package enum Word: CaseIterable, Sendable {
  // The frame of a page
  case skipToNotebook, pages, allNotebooks, markdown, jupyterNotebook, previous, next,
    otherNotebooks
  case madeFrom, syntheticData, contents, thisRun, setUpLine, setUpLines, goToCell, scrollHint
  case earlierRunPassed, isEarlierRun, itsPage

  // States and failures
  case passed, notRun, failedAsExpected, failed, failedAtLine, failedInCell, failedInCellAtLine
  case failedOutside, failedOutsideAtLine

  // Outputs
  case output, standardError, warning, times, code, message, line, peak, missingFigure, moreLine
  case moreLines, cachedResult, asImages
  case hours, minutes, seconds

  // Slides
  case slides, previousSlide, nextSlide

  // Checks
  case pointOf, pointsOf, pointsSum

  // Facts
  case pointsFact, imagesPerClassFact
  case seedFact, parametersFact, noneFact, dataFact, processorFact, threadsFact, kernelsFact
  case swiftFact, commitFact, timeFact
  case typeFact, shapeFact, singleNumber, minFact, maxFact, meanFact, stdFact, nanFact, infiniteFact
  case countFact, valueFact

  // The gallery
  case notebooks, aboutNotebooks, notebookCount, notebookCounts, failedCount, notRunCount
  case oneIsSynthetic, allAreSynthetic, someAreSynthetic, noFigure, whatNext, runAgain, workInIt
  case runAllQuickly

  // The terminal
  case figureFile, pageFile, lastPassedFile, failedWith, failedAtLineWith, fresh, keyRunsCell
  case allPages, endsWithControlC

  // The live page
  case controls, nextCell, nextCellHint, pauseAfterCell, runAll, stop, runToHere, runToHereHint
  case needsScript, cannotBeRun, buildError, runWithThese, defaults, refusedParameters
  case starting, waitingForBuild, building, running, runningCell, waiting, waitingBeforeCell
  case passedIn, passedEarlier, failedInPlace, stopped, stoppedInPlace, notBuiltError
  case notBuiltErrors, errorLabel, nextLabel, progress, serverHasEnded, startAgain, connectionLost
  case noAnswer, copy, copied, notCopied

  package var texts: (english: String, korean: String) {
    switch self {
    case .skipToNotebook: ("Skip to the notebook", "노트북 본문으로 건너뛰기")
    case .pages: ("Pages", "페이지")
    case .allNotebooks: ("All notebooks", "모든 노트북")
    case .markdown: ("Markdown", "마크다운")
    case .jupyterNotebook: ("Jupyter notebook", "주피터 노트북")
    case .previous: ("← Previous", "← 이전")
    case .next: ("Next →", "다음 →")
    case .otherNotebooks: ("Other notebooks", "다른 노트북")
    case .madeFrom: ("Made from {1}.", "이 페이지의 원본: {1}")
    case .syntheticData: ("SYNTHETIC data", "합성 데이터(SYNTHETIC)")
    case .contents: ("Contents", "차례")
    case .thisRun: ("This run", "실행 정보")
    case .setUpLine: ("Set-up: 1 line of Swift", "준비 코드: Swift 1줄")
    case .setUpLines: ("Set-up: {1} lines of Swift", "준비 코드: Swift {1}줄")
    case .goToCell: ("Go to the cell", "해당 셀로 가기")
    case .scrollHint: ("Scroll sideways, or open the figure", "옆으로 밀거나 그림을 눌러 크게 보기")
    case .earlierRunPassed: ("An earlier run passed.", "이전 실행은 통과했습니다.")
    case .isEarlierRun:
      (
        "This is an earlier run. The last run did not pass.",
        "이 페이지는 이전 실행의 결과입니다. 마지막 실행은 통과하지 못했습니다."
      )
    case .itsPage: ("Its page", "그 페이지 보기")

    case .passed: ("Passed", "통과")
    case .notRun: ("Not run", "실행하지 않음")
    case .failedAsExpected: ("Failed as expected", "예상한 오류")
    case .failed: ("Failed", "실패")
    case .failedAtLine: ("Failed at line {1}", "{1}번째 줄에서 실패")
    case .failedInCell: ("Failed in “{1}”.", "“{1}” 셀에서 실패했습니다.")
    case .failedInCellAtLine: ("Failed in “{1}”, line {2}.", "“{1}” 셀, {2}번째 줄에서 실패했습니다.")
    case .failedOutside: ("Failed outside the cells.", "셀 밖에서 실패했습니다.")
    case .failedOutsideAtLine:
      ("Failed outside the cells, line {1}.", "셀 밖, {1}번째 줄에서 실패했습니다.")

    case .output: ("Output", "출력")
    case .standardError: ("Standard error", "표준 오류")
    case .warning: ("Warning", "경고")
    case .times: ("Times", "걸린 시간")
    case .code: ("Code", "코드")
    case .message: ("Message", "메시지")
    case .line: ("Line {1}", "{1}번째 줄")
    case .peak: ("{1} peak", "최대 메모리 {1}")
    case .missingFigure:
      ("The figure {1} is missing. It shows: {2}", "그림 {1}이(가) 없습니다. 그림 설명: {2}")
    case .moreLine: ("1 more line", "1줄 더 보기")
    case .moreLines: ("{1} more lines", "{1}줄 더 보기")
    case .cachedResult:
      ("“{1}” is from {2} UTC and took {3}.", "“{1}”: {2} UTC에 계산한 결과이며, {3} 걸렸습니다.")
    case .asImages: ("{1} as images", "{1}을(를) 그림으로 나타낸 것")
    case .hours: ("{1} h {2} min", "{1}시간 {2}분")
    case .minutes: ("{1} min {2} s", "{1}분 {2}초")
    case .seconds: ("{1} s", "{1}초")

    case .slides: ("Slides", "슬라이드")
    case .previousSlide: ("Previous slide", "이전 슬라이드")
    case .nextSlide: ("Next slide", "다음 슬라이드")

    case .pointOf: ("{1} of {2} point", "{2}점 중 {1}점")
    case .pointsOf: ("{1} of {2} points", "{2}점 중 {1}점")
    case .pointsSum: ("Points: {1}", "점수: {1}")
    case .pointsFact: ("Points", "점수")
    case .imagesPerClassFact: ("images per class", "클래스별 이미지 수")
    case .seedFact: ("Seed", "시드")
    case .parametersFact: ("Parameters", "매개변수")
    case .noneFact: ("none", "없음")
    case .dataFact: ("Data", "데이터")
    case .processorFact: ("Processor", "프로세서")
    case .threadsFact: ("Threads", "스레드")
    case .kernelsFact: ("Kernels", "커널")
    case .swiftFact: ("Swift", "Swift 버전")
    case .commitFact: ("Commit", "커밋")
    case .timeFact: ("Time", "걸린 시간")
    case .typeFact: ("type", "자료형")
    case .shapeFact: ("shape", "모양")
    case .singleNumber: ("a single number", "수 하나")
    case .minFact: ("min", "최솟값")
    case .maxFact: ("max", "최댓값")
    case .meanFact: ("mean", "평균")
    case .stdFact: ("std", "표준편차")
    case .nanFact: ("NaN", "NaN 개수")
    case .infiniteFact: ("infinite", "무한대 개수")
    case .countFact: ("count", "개수")
    case .valueFact: ("value", "값")

    case .notebooks: ("Notebooks", "노트북")
    case .aboutNotebooks:
      (
        """
        Each notebook is a Swift program that tells what it does. Its page has the prose, the code, \
        and what the last run printed and drew.
        """,
        """
        노트북은 하는 일을 스스로 설명하는 Swift 프로그램입니다. 각 페이지에는 설명과 코드, 그리고 마지막 실행에서 \
        출력하고 그린 결과가 담겨 있습니다.
        """
      )
    case .notebookCount: ("1 notebook", "노트북 1개")
    case .notebookCounts: ("{1} notebooks", "노트북 {1}개")
    case .failedCount: ("{1} failed", "실패 {1}개")
    case .notRunCount: ("{1} not run yet", "아직 실행하지 않은 것 {1}개")
    case .oneIsSynthetic:
      (
        """
        One shows {1} data, made by a program: the numbers there say nothing about the real data.
        """,
        "그 가운데 1개는 프로그램이 만든 합성 데이터({1})를 씁니다. 그 수치는 실제 데이터의 결과가 아닙니다."
      )
    case .allAreSynthetic:
      (
        """
        All show {1} data, made by a program: the numbers there say nothing about the real data.
        """,
        "모두 프로그램이 만든 합성 데이터({1})를 씁니다. 그 수치는 실제 데이터의 결과가 아닙니다."
      )
    case .someAreSynthetic:
      (
        """
        {2} show {1} data, made by a program: the numbers there say nothing about the real data.
        """,
        "그 가운데 {2}개는 프로그램이 만든 합성 데이터({1})를 씁니다. 그 수치는 실제 데이터의 결과가 아닙니다."
      )
    case .noFigure: ("No figure", "그림 없음")
    case .whatNext: ("What next", "다음에 할 일")
    case .runAgain: ("run a notebook again, in full length", "노트북 하나를 줄이지 않고 다시 실행합니다")
    case .workInIt:
      (
        "work in it: its page follows in the browser",
        "노트북을 고치면서 봅니다. 저장하면 브라우저의 페이지가 따라 바뀝니다"
      )
    case .runAllQuickly: ("run all of them in a few minutes", "몇 분 만에 모든 노트북을 실행합니다")

    case .figureFile: ("Figure: {1}", "그림: {1}")
    case .pageFile: ("Page: {1}", "페이지: {1}")
    case .lastPassedFile: ("Last run that passed: {1}", "마지막으로 통과한 실행: {1}")
    case .failedWith: ("FAILED: {1}", "실패: {1}")
    case .failedAtLineWith: ("FAILED, line {2}: {1}", "실패({2}번째 줄): {1}")
    case .fresh:
      (
        "fresh: nothing has changed since the last run; to run it anyway: --force",
        "최신 상태: 마지막 실행 뒤로 바뀐 것이 없습니다. 그래도 실행하려면 --force를 쓰세요"
      )
    case .keyRunsCell: ("— a key runs the cell, q stops —", "— 아무 키나 누르면 셀을 실행하고, q를 누르면 멈춥니다 —")
    case .allPages: ("All pages: {1}", "모든 페이지: {1}")
    case .endsWithControlC: ("Ctrl-C ends it.", "끝내려면 Ctrl-C를 누르세요.")

    case .controls: ("Controls", "실행 단추")
    case .nextCell: ("Next cell", "다음 셀")
    case .nextCellHint: ("Run the next cell (Shift+Enter)", "다음 셀 실행(Shift+Enter)")
    case .pauseAfterCell: ("Pause after this cell", "이 셀까지만 실행")
    case .runAll: ("Run all", "모두 실행")
    case .stop: ("Stop", "중단")
    case .runToHere: ("Run to here", "여기까지 실행")
    case .runToHereHint:
      ("Run all cells up to this one and including it", "이 셀까지 모든 셀을 실행합니다")
    case .needsScript:
      (
        """
        This page needs JavaScript to stay up to date. The page in the output folder does not.
        """,
        "이 페이지가 자동으로 바뀌려면 자바스크립트가 필요합니다. 출력 폴더의 페이지에는 필요하지 않습니다."
      )
    case .cannotBeRun: ("The notebook cannot be run.", "노트북을 실행할 수 없습니다.")
    case .buildError: ("Build", "빌드")
    case .runWithThese: ("Run with these", "이 값으로 실행")
    case .defaults: ("Defaults", "기본값")
    case .refusedParameters:
      ("The notebook refused its parameters", "노트북이 매개변수를 받아들이지 않았습니다")
    case .starting: ("Starting", "시작하는 중")
    case .waitingForBuild: ("Waiting for another build", "다른 빌드를 기다리는 중")
    case .building: ("Building", "빌드하는 중")
    case .running: ("Running", "실행 중")
    case .runningCell: ("Running cell {1} of {2}: {3}", "셀 {2}개 중 {1}번째 실행 중: {3}")
    case .waiting: ("Waiting", "대기 중")
    case .waitingBeforeCell:
      ("Waiting before cell {1} of {2}: {3}", "셀 {2}개 중 {1}번째 앞에서 대기 중: {3}")
    case .passedIn: ("Passed in {1}", "통과, {1} 걸림")
    case .passedEarlier:
      (
        "Passed in an earlier run; nothing has changed since",
        "이전 실행에서 통과했고, 그 뒤로 바뀐 것이 없습니다"
      )
    case .failedInPlace: ("Failed in cell {1} of {2}: {3}", "셀 {2}개 중 {1}번째에서 실패: {3}")
    case .stopped: ("Stopped", "중단됨")
    case .stoppedInPlace: ("Stopped in cell {1} of {2}: {3}", "셀 {2}개 중 {1}번째에서 중단됨: {3}")
    case .notBuiltError: ("1 error: not built, not run", "오류 1개: 빌드와 실행을 하지 못했습니다")
    case .notBuiltErrors:
      ("{1} errors: not built, not run", "오류 {1}개: 빌드와 실행을 하지 못했습니다")
    case .errorLabel: ("Error", "오류")
    case .nextLabel: ("Next", "다음")
    case .progress: ("Progress", "진행률")
    case .serverHasEnded: ("The server has ended", "서버가 끝났습니다")
    case .startAgain:
      (
        "This page is no longer kept up to date. Start again with lab notebooks watch.",
        "이 페이지는 더 이상 바뀌지 않습니다. lab notebooks watch로 다시 시작하세요."
      )
    case .connectionLost:
      (
        "The connection is lost; trying again. Has lab notebooks watch ended?",
        "연결이 끊어져 다시 시도하고 있습니다. lab notebooks watch가 끝났나요?"
      )
    case .noAnswer: ("The server does not answer.", "서버가 응답하지 않습니다.")
    case .copy: ("Copy", "복사")
    case .copied: ("Copied", "복사됨")
    case .notCopied: ("Not copied", "복사하지 못함")
    }
  }

  /// The facts that the runner and `inspect` name themselves, by their English names.
  static let factNames: [String: Word] = {
    let facts: [Word] = [
      .pointsFact, .imagesPerClassFact,
      .seedFact, .parametersFact, .dataFact, .processorFact, .threadsFact, .kernelsFact, .swiftFact,
      .commitFact, .timeFact, .typeFact, .shapeFact, .minFact, .maxFact, .meanFact, .stdFact,
      .nanFact, .infiniteFact, .countFact, .valueFact,
    ]
    return Dictionary(uniqueKeysWithValues: facts.map { ($0.texts.english, $0) })
  }()
}
