#include "common/db/result.h"

#include <cstdio>
#include <cstdlib>

namespace mtp::db {
namespace {

[[noreturn]] void Mistake(const PGresult* result, int column,
                          const char* what) {
  const char* name = column < PQnfields(result) ? PQfname(result, column) : "?";
  std::fprintf(stderr, "a statement's columns do not fit: column %d (%s): %s\n",
               column, name, what);
  std::abort();
}

}  // namespace

void Row::ExpectColumns(size_t count) const {
  if (static_cast<size_t>(PQnfields(result_)) != count) {
    Mistake(result_, static_cast<int>(count),
            "another number of columns was read");
  }
}

void Row::ExpectType(int column, uint32_t oid) const {
  if (column >= PQnfields(result_)) Mistake(result_, column, "there is none");
  Oid actual = PQftype(result_, column);
  if (actual == kVarcharOid) actual = kTextOid;
  if (actual != oid) {
    char what[96];
    std::snprintf(what, sizeof what, "has type %u, %u was read", actual, oid);
    Mistake(result_, column, what);
  }
  if (IsNull(column))
    Mistake(result_, column, "is NULL and was not read as optional");
}

// dimensions, has-null, element type, then per dimension size and lower bound,
// then each element with its length.
void Row::ReadTextArray(std::string_view raw,
                        std::vector<std::string>& target) {
  target.clear();
  if (ReadBigEndian<int32_t>(raw) == 0) return;
  const int32_t count = ReadBigEndian<int32_t>(raw.substr(12));
  size_t at = 20;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t length = ReadBigEndian<int32_t>(raw.substr(at));
    at += 4;
    if (length < 0) {
      target.emplace_back();
      continue;
    }
    target.emplace_back(raw.substr(at, static_cast<size_t>(length)));
    at += static_cast<size_t>(length);
  }
}

int64_t Result::affected() const {
  const char* text = PQcmdTuples(result_.get());
  return *text == '\0' ? 0 : std::strtoll(text, nullptr, 10);
}

}  // namespace mtp::db
