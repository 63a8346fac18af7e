// What a shop's tool answers: 300 orders.
export const orders = Array.from({ length: 300 }, (_, n) => ({
  id: `ord_${7000 + n}`,
  status: n === 217 ? "failed" : n % 3 ? "paid" : "shipped",
  total: 25 + ((n * 31) % 400) / 4,
}));
