import matplotlib.pyplot as plt

lines = [r"$\alpha_i > \beta_i$", r"$\sum_{i=0}^\infty x_i$", r"$\frac{\partial u}{\partial t} = \sqrt{\frac{a}{b}}$",
         r"$\mathcal{R}\prod_{i=\alpha}^N a_i\sin(2 \pi f x_i)$", r"$\widehat{xyz}\ \overline{ABC}\ \dot{x}\ \vec{v}$"]
fig = plt.figure(figsize=(5, 3))
for i, line in enumerate(lines):
    fig.text(0.1, 0.85 - 0.18 * i, line, fontsize=18)
plt.show()
