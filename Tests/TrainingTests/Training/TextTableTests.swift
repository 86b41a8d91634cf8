import Lab
import Testing

@Suite struct TextTableTests {
  @Test func columnsAreAsWideAsTheirWidestCells() {
    let rows = [["", "val", "test"], ["CNN", "0.97", "0.7466"], ["a longer name", "-", "0.8"]]
    #expect(
      textTable(rows) == """
                        val    test
        CNN            0.97  0.7466
        a longer name     -     0.8
        """)
    #expect(
      textTable(rows, left: 2) == """
                       val     test
        CNN            0.97  0.7466
        a longer name  -        0.8
        """)
    #expect(textTable([]) == "")
  }
}
