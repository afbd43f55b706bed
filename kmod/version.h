/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* saker's version, that of deno.json. */
#define SAKER_VERSION "0.1.0"
