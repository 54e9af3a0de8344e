/** Heights of a growing list: prefix sums and "which row is at this offset" in O(log n). */
export class Heights {
  count = 0;
  total = 0;
  #estimate: number;
  #size = 1024; // a power of two
  #tree = new Float64Array(1025);
  #own = new Float32Array(1024);

  /** `estimate`: the height of a row that nobody has measured yet, in CSS pixels. */
  constructor(estimate: number) {
    this.#estimate = estimate;
  }

  grow(count: number): void {
    if (count <= this.count) return;
    if (count > this.#size) {
      while (this.#size < count) this.#size *= 2;
      const own = new Float32Array(this.#size);
      own.set(this.#own);
      this.#own = own;
      const tree = new Float64Array(this.#size + 1);
      tree.set(this.#tree);
      this.#tree = tree;
    }
    this.#own.fill(this.#estimate, this.count, count);
    this.total += this.#estimate * (count - this.count);
    // A node sums the rows that its lowest bit spans: itself, and the nodes that end below it.
    for (let node = this.count + 1; node <= count; node++) {
      let sum = this.#own[node - 1]!;
      const from = node - (node & -node);
      for (let child = node - 1; child > from; child -= child & -child) sum += this.#tree[child]!;
      this.#tree[node] = sum;
    }
    this.count = count;
  }

  /** Takes a row's true height; returns by how much it differs from what was assumed. */
  measure(index: number, height: number): number {
    const delta = height - this.#own[index]!;
    if (delta === 0) return 0;
    this.#own[index] = height;
    this.total += delta;
    for (let node = index + 1; node <= this.count; node += node & -node) {
      this.#tree[node] = this.#tree[node]! + delta;
    }
    return delta;
  }

  /** Where row `index` begins. */
  top(index: number): number {
    let sum = 0;
    for (let node = index; node > 0; node -= node & -node) sum += this.#tree[node]!;
    return sum;
  }

  /** The row that covers `offset`. */
  at(offset: number): number {
    let found = 0;
    let rest = offset;
    for (let step = this.#size; step > 0; step >>= 1) {
      const next = found + step;
      if (next <= this.count && this.#tree[next]! <= rest) {
        found = next;
        rest -= this.#tree[next]!;
      }
    }
    return Math.min(found, Math.max(0, this.count - 1));
  }
}
