one atomic postgres::caps
