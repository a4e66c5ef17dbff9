#include "processing_service/manifest.h"

#include <sodium.h>

#include "absl/strings/str_cat.h"

namespace mtp::processing {

std::string ManifestDigest(const std::vector<const Allocation*>& lines) {
  std::string text;
  for (const Allocation* line : lines) {
    absl::StrAppend(&text, line->barcode.ToString(), ",",
                    line->allocation_id.ToString(), ",", line->grams, "\n");
  }
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return digest;
}

int64_t BagCount(const std::vector<const Allocation*>& lines) {
  int64_t bags = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 || lines[i]->barcode != lines[i - 1]->barcode) ++bags;
  }
  return bags;
}

}  // namespace mtp::processing
