#include "cli/local_stack.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/failures.h"
#include "common/base/status.h"
#include "common/rpc/token.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name, std::string_view otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::string(otherwise);
}

// The nearest folder from `path` upwards that is a checkout.
std::optional<std::string> CheckoutAround(fs::path path) {
  std::error_code ignored;
  for (;; path = path.parent_path()) {
    if (fs::exists(path / "deploy/local/stack.sh", ignored)) {
      return path.string();
    }
    if (path == path.parent_path()) return std::nullopt;
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good()) {
    return UsageError(absl::StrCat("cannot read ", path,
                                   " of the local stack: `make up` "
                                   "makes it; elsewhere give --token"));
  }
  return content.str();
}

// The name of the signing key, from the set that holds its public half.
absl::StatusOr<std::string> KeyId(const LocalStack& stack) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(stack.KeySet()));
  const auto set = nlohmann::json::parse(text, nullptr, false);
  if (set.is_object() && set.contains("keys") && set["keys"].is_array() &&
      !set["keys"].empty() && set["keys"][0].is_object() &&
      set["keys"][0].contains("kid") && set["keys"][0]["kid"].is_string()) {
    return set["keys"][0]["kid"].get<std::string>();
  }
  return UsageError(absl::StrCat(stack.KeySet(), " names no key"));
}

}  // namespace

std::optional<LocalStack> FindLocalStack() {
  std::error_code error;
  std::optional<std::string> home;
  if (const std::string named = Environment("MTP_HOME", ""); !named.empty()) {
    home = named;
  } else {
    home = CheckoutAround(fs::current_path(error));
    if (!home.has_value()) {
      home = CheckoutAround(fs::read_symlink("/proc/self/exe", error));
    }
  }
  if (!home.has_value()) return std::nullopt;
  return LocalStack{
      .home = *home,
      .var = Environment("MTP_LOCAL_VAR", absl::StrCat(*home, "/var"))};
}

std::string LocalOrderAddress() {
  return "127.0.0.1:" + Environment("MTP_LOCAL_ORDER_PORT", "7401");
}

std::string LocalProcessingAddress() {
  return "127.0.0.1:" + Environment("MTP_LOCAL_PROCESSING_PORT", "7402");
}

std::string LocalUsername(options::v1::Role role) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(rpc::RoleName(role)),
                             {{"_", "-"}});
}

absl::StatusOr<std::string> LocalToken(const LocalStack& stack,
                                       options::v1::Role role, absl::Time now,
                                       absl::Duration lifetime) {
  ASSIGN_OR_RETURN(const std::string key, ReadFile(stack.SigningKey()));
  ASSIGN_OR_RETURN(const std::string id, KeyId(stack));
  const rpc::TokenRequest request{
      .subject = absl::StrFormat("00000000-0000-4000-8000-%012d", role),
      .username = LocalUsername(role),
      .role = role,
      .issued_at = now,
      .lifetime = lifetime};
  return rpc::SignToken(request, key, id);
}

}  // namespace mtp::cli
