import matplotlib.pyplot as plt

plt.bar(["été", "Größe", "naïve", "Ωmega"], [1, 2, 3, 4])
plt.title("Umlaute, Ελληνικά, Кириллица — “quotes” → ✓ 日本")
plt.show()
