#include "cli/contract.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/rpc/token.h"
#include "google/protobuf/descriptor_database.h"
#include "mtp/options/v1/options.pb.h"

namespace mtp::cli {
namespace {

using google::protobuf::DescriptorPool;

const options::v1::Access& AccessOf(const MethodDescriptor& method) {
  return method.options().GetExtension(options::v1::access);
}

// Lower case, with points only.
std::string Normalized(std::string_view name) {
  std::string text = absl::AsciiStrToLower(
      absl::StrReplaceAll(std::string(name), {{"/", "."}}));
  if (!text.empty() && text.front() == '.') text.erase(0, 1);
  return text;
}

bool EndsAtWord(const std::string& full_name, const std::string& name) {
  return full_name == name || absl::EndsWith(full_name, "." + name);
}

}  // namespace

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::vector<const MethodDescriptor*> methods;
  for (const std::string& name : files) {
    if (!absl::StartsWith(name, "mtp/")) continue;
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) {
        methods.push_back(service->method(j));
      }
    }
  }
  std::sort(methods.begin(), methods.end(), [](const auto* a, const auto* b) {
    return a->full_name() < b->full_name();
  });
  return methods;
}

absl::StatusOr<const MethodDescriptor*> FindMethod(std::string_view name) {
  const std::string wanted = Normalized(name);
  std::vector<const MethodDescriptor*> found;
  for (const MethodDescriptor* method : AllMethods()) {
    if (EndsAtWord(absl::AsciiStrToLower(method->full_name()), wanted)) {
      found.push_back(method);
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the contract has no method `", std::string(name),
                     "`; `mtpctl methods PATTERN` finds them"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "`", std::string(name), "` could be ",
      absl::StrJoin(found, " or ",
                    [](std::string* out, const MethodDescriptor* method) {
                      out->append(MethodName(*method));
                    })));
}

const MethodDescriptor& MethodOf(const google::protobuf::Descriptor& request) {
  const auto* file = request.file();
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      const MethodDescriptor* method = file->service(i)->method(j);
      if (method->input_type() == &request) return *method;
    }
  }
  GOOGLE_LOG(FATAL) << request.full_name() << " is no method's request";
  __builtin_unreachable();
}

std::string MethodName(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->full_name(), "/", method.name());
}

common::v1::Side SideOf(const MethodDescriptor& method) {
  const std::string& name = method.full_name();
  if (absl::StartsWith(name, "mtp.order.") ||
      absl::StartsWith(name, "mtp.sync.v1.OrderSyncService.")) {
    return common::v1::SIDE_ORDER;
  }
  if (absl::StartsWith(name, "mtp.processing.") ||
      absl::StartsWith(name, "mtp.sync.v1.ProcessingSyncService.")) {
    return common::v1::SIDE_PROCESSING;
  }
  return common::v1::SIDE_UNSPECIFIED;
}

std::vector<options::v1::Role> RolesOf(const MethodDescriptor& method) {
  std::vector<options::v1::Role> roles;
  for (const int role : AccessOf(method).roles()) {
    roles.push_back(static_cast<options::v1::Role>(role));
  }
  return roles;
}

std::string AccessText(const MethodDescriptor& method) {
  const options::v1::Access& access = AccessOf(method);
  if (access.signed_in()) return "anybody signed in";
  if (access.everyone()) return "everybody";
  if (access.peer_service()) return "the other service";
  if (access.roles().empty()) return "nobody";
  return absl::StrJoin(RolesOf(method), ", ",
                       [](std::string* out, options::v1::Role role) {
                         out->append(rpc::RoleName(role));
                       });
}

bool NeedsNoToken(const MethodDescriptor& method) {
  return AccessOf(method).everyone();
}

}  // namespace mtp::cli
