/* Life alone: the rival that bounds what a kernel for any rule can reach.

   One bit a cell, rows of S vectors of 512 bits between two ghost vectors. A row holds `lanes` numbers of 512 / lanes bits per vector:
   column x = p * S + s stands in lane p of vector s, so the neighbours of a vector are whole vectors and nothing is shifted. One lattice
   has 512 lanes of one bit; 256 lattices side by side have two lanes, and bit b of a lane belongs to lattice b. A ghost is the vector at
   the other end with its lanes turned by one: the torus.

   A step walks a row once; sums of three cells of a column stay in registers. `steps_per_pass` steps may share one walk through
   memory: row y of step g is made as soon as rows y - 1, y and y + 1 of step g - 1 are, and steps between live in rings of four rows. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint64_t vector __attribute__((vector_size(64), aligned(64)));

#ifdef __AVX512F__
#include <immintrin.h>
/* Any function of three bits in one instruction; bit 4a + 2b + c of the table is its value. */
#define TERNARY(a, b, c, table) ((vector)_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(c), table))
#define SUM(a, b, c) TERNARY(a, b, c, 0x96)
#define CARRY(a, b, c) TERNARY(a, b, c, 0xE8)
#else
#define SUM(a, b, c) ((a) ^ (b) ^ (c))
#define CARRY(a, b, c) (((a) & (b)) | (((a) ^ (b)) & (c)))
#endif

enum { MOST_STEPS_PER_PASS = 16, RING = 4 };

/* Life from column sums left, here and right (ones, twos), each with the cell itself in the middle: alive when all nine make 3, or
   make 4 around a live cell. */
static inline vector life_rule(vector l0, vector l1, vector h0, vector h1, vector r0, vector r1, vector cell) {
    vector ones = SUM(l0, h0, r0), carry = CARRY(l0, h0, r0), twos = SUM(l1, h1, r1), fours = CARRY(l1, h1, r1);
#ifdef __AVX512F__
    vector two = TERNARY(carry, twos, fours, 0x14);  /* carry + twos is 1, no fours: the nine make 2 or 3 */
    vector four = TERNARY(carry, twos, fours, 0x42); /* they make 4 or 5 */
    vector either = TERNARY(ones, two, four, 0xCA);  /* 3 when odd, 4 when even */
    return TERNARY(either, ones, cell, 0xE0);
#else
    vector one_two = carry ^ twos;
    return (one_two & ones & ~fours) | (cell & ~one_two & (fours ^ twos) & ~ones);
#endif
}

/* Every lane takes the number of the lane before it; the last one's goes to the first. */
static inline vector turned_up(vector a, int lanes) {
    if (lanes == 2) return (vector){a[4], a[5], a[6], a[7], a[0], a[1], a[2], a[3]};
    vector out = a >> 63;
    return (a << 1) | (vector){out[7], out[0], out[1], out[2], out[3], out[4], out[5], out[6]};
}

static inline vector turned_down(vector a, int lanes) {
    if (lanes == 2) return (vector){a[4], a[5], a[6], a[7], a[0], a[1], a[2], a[3]};
    vector out = a << 63;
    return (a >> 1) | (vector){out[1], out[2], out[3], out[4], out[5], out[6], out[7], out[0]};
}

static inline __attribute__((always_inline)) void one_row(const vector *restrict up, const vector *restrict row,
                                                          const vector *restrict down, vector *restrict out, int strips, int lanes) {
    vector l0 = SUM(up[0], row[0], down[0]), l1 = CARRY(up[0], row[0], down[0]);
    vector h0 = SUM(up[1], row[1], down[1]), h1 = CARRY(up[1], row[1], down[1]);
    for (int s = 1; s <= strips; s++) {
        vector r0 = SUM(up[s + 1], row[s + 1], down[s + 1]), r1 = CARRY(up[s + 1], row[s + 1], down[s + 1]);
        out[s] = life_rule(l0, l1, h0, h1, r0, r1, row[s]);
        l0 = h0, l1 = h1, h0 = r0, h1 = r1;
    }
    out[0] = turned_up(out[strips], lanes);
    out[strips + 1] = turned_down(out[1], lanes);
}

static inline __attribute__((always_inline)) void one_step(const vector *from, vector *to, int height, int strips, int lanes) {
    ptrdiff_t width = strips + 2;
    for (int y = 0; y < height; y++)
        one_row(from + (y ? y - 1 : height - 1) * width, from + y * width, from + (y + 1 < height ? y + 1 : 0) * width,
                to + y * width, strips, lanes);
}

static inline __attribute__((always_inline)) void several_steps(const vector *from, vector *to, vector *rings, int height, int strips,
                                                                int lanes, int steps) {
    ptrdiff_t width = strips + 2, ring = RING * width;
    for (int front = 2 - steps; front < height + steps; front++)
        for (int g = 1; g <= steps; g++) {
            int y = front - g, margin = steps - g;
            if (y < -margin || y >= height + margin) continue;
            const vector *near[3];
            for (int k = 0; k < 3; k++) {
                int of = y + k - 1;
                near[k] = g == 1 ? from + (of + height) % height * width : rings + (g - 1) * ring + (of & (RING - 1)) * width;
            }
            one_row(near[0], near[1], near[2], g == steps ? to + y * width : rings + g * ring + (y & (RING - 1)) * width, strips, lanes);
        }
}

/* Run `passes` passes of `steps_per_pass` steps (1..16, at most `height`) from one buffer to the other and back; the state ends in
   `here` after an even number of passes, in `there` after an odd one. Returns 0, or 1 when there is no memory. */
static inline __attribute__((always_inline)) int run(vector *here, vector *there, int height, int strips, int lanes, int passes,
                                                     int steps_per_pass) {
    vector *rings = aligned_alloc(64, sizeof(vector) * MOST_STEPS_PER_PASS * RING * (strips + 2));
    if (!rings) return 1;
    for (int pass = 0; pass < passes; pass++) {
        if (steps_per_pass == 1)
            one_step(here, there, height, strips, lanes);
        else
            several_steps(here, there, rings, height, strips, lanes, steps_per_pass);
        vector *other = here;
        here = there, there = other;
    }
    free(rings);
    return 0;
}

int one_lattice(vector *here, vector *there, int height, int strips, int passes, int steps_per_pass) {
    return run(here, there, height, strips, 512, passes, steps_per_pass);
}

int lattices_256(vector *here, vector *there, int height, int strips, int passes, int steps_per_pass) {
    return run(here, there, height, strips, 2, passes, steps_per_pass);
}
