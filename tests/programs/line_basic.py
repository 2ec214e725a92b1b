import matplotlib.pyplot as plt

years = [2018, 2019, 2020, 2021, 2022, 2023]
revenue = [4.1, 4.8, 3.9, 5.2, 6.1, 6.8]
plt.figure(figsize=(4, 3))
plt.plot(years, revenue, marker="o", color="tab:blue", label="revenue")
plt.title("Revenue by year")
plt.xlabel("year")
plt.ylabel("million")
plt.grid(True)
plt.legend()
plt.tight_layout()
plt.show()
