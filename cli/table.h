#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mtp::cli {

// One cell of a table: a text, a number, or a weight.
class Cell {
 public:
  Cell() = default;
  Cell(std::string text) : text_(std::move(text)) {}  // NOLINT
  Cell(std::string_view text) : text_(text) {}        // NOLINT
  Cell(const char* text) : text_(text) {}             // NOLINT
  template <typename T>
  requires std::is_integral_v<T> Cell(T number)
      : kind_(Kind::kNumber), number_(number) {}  // NOLINT
  static Cell Grams(int64_t grams);

 private:
  friend class Table;
  enum class Kind { kText, kNumber, kGrams };

  bool IsEmpty() const { return kind_ == Kind::kText && text_.empty(); }
  // As it is printed; `decimals` is for weights, -1: as many as it takes.
  std::string Text(int decimals) const;

  Kind kind_ = Kind::kText;
  std::string text_;
  int64_t number_ = 0;
};

// Rows and columns as people read them: aligned, numbers to the right, weights
// of one column with the same decimals. Whatever a terminal would obey in the
// texts is shown as a blank.
class Table {
 public:
  // Without headings: the first column names, the second says.
  explicit Table(std::vector<std::string> headings = {})
      : headings_(std::move(headings)) {}

  // A row may be shorter than the headings.
  Table& Row(std::vector<Cell> cells);
  bool IsEmpty() const { return rows_.empty(); }
  // Each line ends with a line feed and begins with `indent`.
  std::string Text(std::string_view indent = "") const;

 private:
  struct Column {
    size_t width = 0;
    bool to_the_right = false;
    int decimals = -1;
  };
  Column Measure(size_t column) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

// What a list shows: the table, or `none`.
std::string TextOrNone(const Table& table);
// `yes`, or an empty cell.
std::string YesIf(bool value);

// Characters a terminal shows for `text`, taking each code point as one.
size_t DisplayWidth(std::string_view text);
// `text` without anything that a terminal would obey.
std::string Printable(std::string_view text);

}  // namespace mtp::cli
