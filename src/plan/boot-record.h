/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The boot record descriptor of a disc that gets a boot catalog: changed where there is one,
 * put in where there is none and it can be done safely. BIOSes (SeaBIOS) read block 17 and no
 * other, so a new one goes there and the descriptors from there on move one block back:
 *
 *   16   17       18       19           16   17      18       19       20
 *   PVD  Joliet   end      zeros   =>   PVD  RECORD  Joliet   end
 *
 * The block behind the end must belong to nobody. libisofs puts the root directory there, at
 * once behind the end: such a directory, which few places point to, moves behind the disc.
 */
#ifndef ISOWRITE_PLAN_BOOT_RECORD_H
#define ISOWRITE_PLAN_BOOT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/layout.h"
#include "image/source.h"
#include "plan/plan.h"

struct boot_record_change {
	bool is_there;               /* only the catalog's address in it changes */
	uint32_t lba;                /* of the record, in 2048-byte blocks */
	uint32_t end_lba;            /* of the descriptors' end, unless is_there */
	bool moves_root;             /* the root directory makes room */
	uint32_t root_lba, root_len; /* bytes, whole blocks */
};

/*
 * What has to be done to this disc. 0, or -1: *ret_why (static storage, a clause) if it cannot
 * be done safely, else NULL and err has an I/O error.
 */
int boot_record_examine(struct source *src, const struct layout *lay,
			struct boot_record_change *ret, const char **ret_why, struct error *err);

/*
 * Does it, over the plan of the disc. new_root_lba: where the plan has the root directory's
 * copy (move_root_copy()), if that moves.
 */
int boot_record_apply(struct plan *plan, struct source *src,
		      const struct boot_record_change *change, uint32_t catalog_lba,
		      uint32_t new_root_lba, struct error *err);

#endif
