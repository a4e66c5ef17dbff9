#include "common/db/params.h"

namespace mtp::db {

// One dimension counted from 1; an empty array has none.
Params::ArrayWriter::ArrayWriter(std::string& array, size_t count,
                                 uint32_t element_oid)
    : out(array) {
  AppendBigEndian<int32_t>(out, count == 0 ? 0 : 1);
  AppendBigEndian<int32_t>(out, 1);  // may hold NULLs
  AppendBigEndian<uint32_t>(out, element_oid);
  if (count == 0) return;
  AppendBigEndian<int32_t>(out, static_cast<int32_t>(count));
  AppendBigEndian<int32_t>(out, 1);
}

void Params::PatchLength(std::string& out, size_t length_at) {
  std::string length;
  AppendBigEndian<int32_t>(length,
                           static_cast<int32_t>(out.size() - length_at - 4));
  out.replace(length_at, 4, length);
}

}  // namespace mtp::db
