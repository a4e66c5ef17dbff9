#include "catch2/catch.hpp"
#include "cli/table.h"

namespace mtp::cli {
namespace {

TEST_CASE("columns are aligned, numbers to the right, no blanks at the end") {
  Table table({"NAME", "BAGS", "WEIGHT"});
  table.Row({"Bogawantalawa", 40, Cell::Grams(2'000'500)})
      .Row({"Uva", 7, Cell::Grams(80'000)})
      .Row({"none"});
  CHECK(table.Text() ==
        "NAME           BAGS      WEIGHT\n"
        "Bogawantalawa    40  2,000.5 kg\n"
        "Uva               7     80.0 kg\n"
        "none\n");
}

TEST_CASE("a table without headings names and says") {
  Table facts;
  facts.Row({"order", "SO25017"}).Row({"required", Cell::Grams(62'500)});
  CHECK(facts.Text("  ") ==
        "  order     SO25017\n"
        "  required  62.5 kg\n");
}

TEST_CASE("letters beyond ASCII take one place each") {
  Table table({"A", "B"});
  table.Row({"Nuwara Eliyā", "x"}).Row({"Dimbula", "y"});
  CHECK(table.Text() ==
        "A             B\n"
        "Nuwara Eliyā  x\n"
        "Dimbula       y\n");
}

TEST_CASE("what a terminal would obey is shown as blanks") {
  CHECK(Printable("a\033[31mb\nc\td\x7f") == "a [31mb c d ");
  CHECK(Printable("a\xc2\x9b"
                  "31m") == "a 31m");
  CHECK(Printable("ā") == "ā");
}

}  // namespace
}  // namespace mtp::cli
