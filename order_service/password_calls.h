#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "common/rpc/call.h"
#include "order_service/passwords.h"
#include "order_service/rows.h"

// Calls that bring passwords: nothing of these is kept, but by their hashes.
namespace mtp::order {

// A password, wiped when nobody needs it any more.
struct Secret {
  explicit Secret(std::string secret) : text(std::move(secret)) {}
  ~Secret() { Wipe(text); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::string text;
};
using SecretPtr = std::shared_ptr<const Secret>;

// Takes a password out of the call, both out of its message and of its bytes.
SecretPtr TakeSecret(rpc::Call& call, const char* field);

// Makes the digest by which a repeated request_id is compared depend on the
// secrets, too, by a value that costs as much to guess at as their hashes do.
absl::Status BindSecrets(const PasswordHasher& hasher,
                         std::initializer_list<SecretPtr> secrets,
                         rpc::Call& call);

// Goes on with the call and with what was read for it.
void ReadFirst(
    Queries& queries, db::Exchange exchange, std::unique_ptr<rpc::Call> call,
    std::function<void(std::unique_ptr<rpc::Call>, const db::Results&)> then);

// Goes on with the call on a thread that may hash passwords.
void InPool(PasswordPool& pool, std::unique_ptr<rpc::Call> call,
            std::function<void(std::unique_ptr<rpc::Call>)> task);

}  // namespace mtp::order
