#include "cli/table.h"

#include <algorithm>

#include "cli/weights.h"

namespace mtp::cli {

Cell Cell::Grams(int64_t grams) {
  Cell cell;
  cell.kind_ = Kind::kGrams;
  cell.number_ = grams;
  return cell;
}

std::string Cell::Text(int decimals) const {
  switch (kind_) {
    case Kind::kText:
      return Printable(text_);
    case Kind::kNumber:
      return std::to_string(number_);
    case Kind::kGrams:
      return decimals < 0 ? Kilograms(number_) : Kilograms(number_, decimals);
  }
  return "";
}

std::string TextOrNone(const Table& table) {
  return table.IsEmpty() ? "none\n" : table.Text();
}

std::string YesIf(bool value) { return value ? "yes" : ""; }

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string Printable(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // The C1 controls are U+0080 to U+009F: C2 80 to C2 9F.
    const bool c1 = c == 0xc2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    printable.push_back(c < 0x20 || c == 0x7f || c1 ? ' ' : text[i]);
  }
  return printable;
}

Table& Table::Row(std::vector<Cell> cells) {
  rows_.push_back(std::move(cells));
  return *this;
}

Table::Column Table::Measure(size_t column) const {
  Column measured;
  bool only_numbers = true;
  bool only_weights = true;
  int decimals = 0;
  for (const auto& row : rows_) {
    if (column >= row.size() || row[column].IsEmpty()) continue;
    const Cell& cell = row[column];
    only_numbers &= cell.kind_ != Cell::Kind::kText;
    only_weights &= cell.kind_ == Cell::Kind::kGrams;
    if (cell.kind_ == Cell::Kind::kGrams) {
      decimals = std::max(decimals, KilogramDecimals(cell.number_));
    }
  }
  measured.to_the_right = only_numbers && !headings_.empty();
  if (only_weights && !headings_.empty()) measured.decimals = decimals;
  if (column < headings_.size()) {
    measured.width = DisplayWidth(headings_[column]);
  }
  for (const auto& row : rows_) {
    if (column >= row.size()) continue;
    measured.width = std::max(
        measured.width, DisplayWidth(row[column].Text(measured.decimals)));
  }
  return measured;
}

std::string Table::Text(std::string_view indent) const {
  constexpr std::string_view kGap = "  ";
  size_t count = headings_.size();
  for (const auto& row : rows_) count = std::max(count, row.size());
  std::vector<Column> columns;
  for (size_t i = 0; i < count; ++i) columns.push_back(Measure(i));

  std::string out;
  const auto put_line = [&](const auto& text_of) {
    std::string line(indent);
    for (size_t i = 0; i < count; ++i) {
      const std::string text = text_of(i);
      const std::string pad(columns[i].width - DisplayWidth(text), ' ');
      if (i > 0) line += kGap;
      line += columns[i].to_the_right ? pad + text : text + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  if (!headings_.empty()) {
    put_line([&](size_t i) {
      return i < headings_.size() ? headings_[i] : std::string();
    });
  }
  for (const auto& row : rows_) {
    put_line([&](size_t i) {
      return i < row.size() ? row[i].Text(columns[i].decimals) : std::string();
    });
  }
  return out;
}

}  // namespace mtp::cli
