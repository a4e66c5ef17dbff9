#include "processing_service/revoked_user_rows.h"

namespace mtp::processing {

const db::Statement RevokedUser::kLoad{R"(
  SELECT subject, disabled, revoked_before, order_epoch, order_version,
         order_changed_at, heard_at
  FROM revoked_user WHERE subject = ANY ($1::uuid[])
  ORDER BY subject
  FOR UPDATE
)"};

const db::Statement RevokedUser::kInsert{R"(
  INSERT INTO revoked_user (subject, disabled, revoked_before, order_epoch, order_version,
                            order_changed_at, heard_at)
  SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::timestamptz[], $4::bigint[],
                       $5::bigint[], $6::timestamptz[], $7::timestamptz[])
)"};

const db::Statement RevokedUser::kUpdate{R"(
  UPDATE revoked_user SET
    disabled = fresh.disabled, revoked_before = fresh.revoked_before,
    order_epoch = fresh.order_epoch, order_version = fresh.order_version,
    order_changed_at = fresh.order_changed_at, heard_at = fresh.heard_at
  FROM unnest($1::uuid[], $2::boolean[], $3::timestamptz[], $4::bigint[], $5::bigint[],
              $6::timestamptz[], $7::timestamptz[])
    AS fresh (subject, disabled, revoked_before, order_epoch, order_version,
              order_changed_at, heard_at)
  WHERE revoked_user.subject = fresh.subject
)"};

}  // namespace mtp::processing
