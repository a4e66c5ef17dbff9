#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/failures.h"
#include "cli/session.h"
#include "common/base/status.h"
#include "google/protobuf/message.h"

namespace mtp::cli {

// Lets `names` of the command (`--grade`, or `CODE` for an argument) fill the
// field at `path` of `request`, which lives as long as the command. The field's
// type says how it is written (fields.h).
CLI::Option* Bind(CLI::App& command, const std::string& names,
                  google::protobuf::Message& request, const std::string& path,
                  const std::string& help);

// Makes the message that has the field at `path`, empty if it was not there.
void MakeOwner(google::protobuf::Message& request, const std::string& path);

// The command of a group (`mtpctl GROUP …`) that only holds others.
CLI::App& Group(CLI::App& app, const std::string& name,
                const std::string& help);

// What every verb has without saying so: --occurred-at and --etag where the
// request has them, and of lists --search, --order-by, --limit and --all.
struct ListOptions {
  int64_t limit = 50;
  bool all = false;
  int64_t Wanted() const {
    return all ? std::numeric_limits<int64_t>::max() : limit;
  }
};
void BindUsual(CLI::App& command, google::protobuf::Message& request,
               ListOptions& list);

// A command that makes one call: its options fill the request, and what comes
// back is shown. A verb is declared in one expression that ends with Shows.
template <typename Request, typename Response>
class Verb {
 public:
  Verb(CLI::App& group, Session& session, const std::string& name,
       const std::string& help)
      : command_(*group.add_subcommand(name, help)),
        session_(session),
        request_(std::make_shared<Request>()),
        list_(std::make_shared<ListOptions>()) {
    BindUsual(command_, *request_, *list_);
  }

  // A word that must be there.
  Verb& Argument(const std::string& name, const std::string& path,
                 const std::string& help) {
    Bind(command_, name, *request_, path, help)->required();
    return *this;
  }
  Verb& Option(const std::string& names, const std::string& path,
               const std::string& help) {
    Bind(command_, names, *request_, path, help);
    return *this;
  }
  // An option that must be there.
  Verb& Needed(const std::string& names, const std::string& path,
               const std::string& help) {
    Bind(command_, names, *request_, path, help)->required();
    return *this;
  }
  // An option that changes a field of the thing: the update mask names it if
  // the option is there.
  Verb& Change(const std::string& names, const std::string& path,
               const std::string& help) {
    CLI::Option* option = Bind(command_, names, *request_, path, help);
    return Masked(option, path.substr(path.rfind('.') + 1));
  }
  // A flag that changes a field to nothing.
  Verb& Cleared(const std::string& name, const std::string& path,
                const std::string& help) {
    CLI::Option* flag = command_.add_flag(name, help);
    Prepared([flag, path](Request& request) {
      if (flag->count() > 0) MakeOwner(request, path);
      return absl::OkStatus();
    });
    return Masked(flag, path.substr(path.rfind('.') + 1));
  }
  // An argument that `read` turns into what the request needs, after the
  // command line is read: a code that people use into the id that it means.
  Verb& Looked(const std::string& names, const std::string& type,
               const std::string& help, bool required,
               std::function<absl::Status(const std::string&, Request&)> read) {
    auto text = std::make_shared<std::string>();
    command_.add_option(names, *text, help)
        ->type_name(type)
        ->required(required);
    return Prepared([text, read = std::move(read)](Request& request) {
      return text->empty() ? absl::OkStatus() : read(*text, request);
    });
  }
  // Done before the call, after what was declared before.
  Verb& Prepared(std::function<absl::Status(Request&)> prepare) {
    auto before = std::move(prepare_);
    prepare_ = [before = std::move(before),
                prepare = std::move(prepare)](Request& request) {
      if (before) RETURN_IF_ERROR(before(request));
      return prepare(request);
    };
    return *this;
  }
  CLI::App& command() { return command_; }

  void Shows(std::function<std::string(const Response&)> text) {
    command_.callback([&session = session_, request = request_, list = list_,
                       prepare = prepare_, text = std::move(text)] {
      session.Do([&session, request, list, prepare, text] {
        if (prepare) RETURN_IF_ERROR(prepare(*request));
        RETURN_IF_ERROR(CheckMask(*request));
        Response response;
        RETURN_IF_ERROR(Ask(session, *request, *list, response));
        return session.Show(response, [&] { return text(response); });
      });
    });
  }

 private:
  Verb& Masked(CLI::Option* option, const std::string& field) {
    return Prepared([option, field](Request& request) {
      if (option->count() > 0) request.mutable_update_mask()->add_paths(field);
      return absl::OkStatus();
    });
  }

  // An empty mask means every field: that is never what nobody said.
  static absl::Status CheckMask(const Request& request) {
    if constexpr (requires { request.update_mask(); }) {
      if (request.update_mask().paths().empty()) {
        return UsageError("say what to change; --help lists it");
      }
    }
    return absl::OkStatus();
  }

  static absl::Status Ask(Session& session, Request& request,
                          const ListOptions& list, Response& response) {
    if constexpr (requires { request.page_size(); }) {
      return session.List(request, list.Wanted(), response);
    } else {
      return session.Call(request, response);
    }
  }

  CLI::App& command_;
  Session& session_;
  const std::shared_ptr<Request> request_;
  const std::shared_ptr<ListOptions> list_;
  std::function<absl::Status(Request&)> prepare_;
};

}  // namespace mtp::cli
