#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

#include "common/db/result.h"
#include "common/db/value.h"
#include "common/db/working_set.h"
#include "common/handlers/context.h"
#include "common/rpc/call.h"
#include "google/protobuf/descriptor.h"

// What a decision needs besides its rows, for tests without a database.
namespace mtp::tests {

// A call that nobody waits for.
class SilentCall : public rpc::Call {
 public:
  // `service` and `name` as in "mtp.order.v1.RequestService", "CreateRequest".
  SilentCall(const std::string& service, const std::string& name,
             options::v1::Role role) {
    method = google::protobuf::DescriptorPool::generated_pool()
                 ->FindServiceByName(service)
                 ->FindMethodByName(name);
    caller = {.kind = rpc::Caller::Kind::kPerson,
              .subject = "0192d5a0-0000-7000-8000-000000000001",
              .username = "somebody",
              .role = role};
    correlation_id = "test-correlation";
  }
  bool Cancelled() const override { return false; }
  void AddTrailer(std::string_view, std::string_view) override {}
  void Reply(std::string) override {}
  void ReplyStream(std::vector<std::string>) override {}
  void Fail(absl::Status) override {}
};

// Gives a member of a working set (a sequence) codes as if they were loaded.
inline void GiveCodes(db::Member& member, const std::vector<int64_t>& codes) {
  PGresult* result = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
  std::string name = "code";
  PGresAttDesc column{.name = name.data(),
                      .format = 1,
                      .typid = db::kInt8Oid,
                      .typlen = 8,
                      .atttypmod = -1};
  PQsetResultAttrs(result, 1, &column);
  for (size_t i = 0; i < codes.size(); ++i) {
    std::string bytes;
    db::AppendBigEndian(bytes, codes[i]);
    PQsetvalue(result, static_cast<int>(i), 0, bytes.data(),
               static_cast<int>(bytes.size()));
  }
  db::Results results;
  results.emplace_back(result);
  size_t next = 0;
  member.TakeLoads(results, next);
}

}  // namespace mtp::tests
